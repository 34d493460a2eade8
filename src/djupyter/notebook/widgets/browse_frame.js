/* What the live table is made of, what it asks and what it hears. */

const SLOW = 180; // milliseconds before it says that it works

class Frame {
  constructor(model, el) {
    this.model = model;
    this.client = Math.random().toString(36).slice(2);
    this.asked = 0;
    this.pending = new Map(); // kind of question -> its number
    this.order = [];
    this.filters = {};
    this.selected = null;
    this.chosen = null;
    this.rowHeight = 26;
    const opened = model.get("opened");
    this.columns = opened.columns.map((column) => ({
      ...column,
      look: `${column.key ? " dj-b-key" : ""}${column.numeric ? " dj-number" : ""}`,
    }));
    this.build(el, opened);
    this.show(opened);
    this.heard = (message) => this.hear(message);
    model.on("msg:custom", this.heard);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.body);
    this.ask("walk", {});
  }

  close() {
    this.model.off("msg:custom", this.heard);
    this.watch.disconnect();
    clearTimeout(this.slow);
    clearTimeout(this.typing);
    clearTimeout(this.looking);
  }

  /* ---- asking and hearing ---- */

  ask(what, more) {
    const id = ++this.asked;
    if (what !== "walk" && what !== "stop") {
      const kind = what === "detail" || what === "histogram" ? "aside" : "rows";
      this.pending.set(kind, id);
      this.work();
    }
    this.model.send({ do: what, id, client: this.client, view: this.view, ...more });
    return id;
  }

  hear(message) {
    if (message.client !== this.client) return;
    const { kind, id } = message;
    if (kind === "total") {
      if (message.view === this.view) this.count(message.total, message.counted);
      return;
    }
    const about = message.about === "rows" || kind === "view" || kind === "rows" ? "rows" : "aside";
    if (this.pending.get(about) !== id) {
      if (kind !== "value" || id !== this.shownDetail) return; // something newer is on its way
    }
    if (kind !== "value") this.pending.delete(about);
    this.work();
    if (kind === "error") this.fail(message);
    if (kind === "view") this.opened(message);
    if (kind === "rows") this.page(message);
    if (kind === "detail") this.detail(message);
    if (kind === "value") this.value(message);
    if (kind === "histogram") this.histogram(message);
    if (kind === "rows" && this.dragged !== undefined) this.drag(this.dragged);
  }

  work() {
    clearTimeout(this.slow);
    if (!this.pending.size) {
      this.root.classList.remove("dj-b-busy");
      this.stop.hidden = true;
      if (this.status.dataset.kind === "busy") this.say("");
      return;
    }
    this.slow = setTimeout(() => {
      this.root.classList.add("dj-b-busy");
      this.stop.hidden = false;
      this.say("Reading…", "busy");
      this.slow = setTimeout(() => this.say("Still reading. Without an index every row is looked at; a running cell comes first.", "busy"), 6000);
    }, SLOW);
  }

  say(text, kind = "") {
    this.status.textContent = text;
    this.status.dataset.kind = kind;
  }

  fail(message) {
    if (message.about === "rows") {
      this.say(message.text, "error");
      for (const input of this.inputs) input.setAttribute("aria-invalid", String(message.do === "view" && !!input.value && message.text.length > 0));
      this.dragged = undefined;
    } else {
      this.aside.replaceChildren(this.asideHead("Cannot be shown"), make("div", "dj-b-failed", message.text));
    }
  }

  /* ---- what it is made of ---- */

  build(el, opened) {
    const root = (this.root = make("div", "dj-out dj-browse"));
    root.dataset.lmSuppressShortcuts = "true"; // or the notebook takes the arrow keys
    const tier = (opened.tier || "none").toLowerCase();
    const bar = make("div", `dj-caption dj-b-bar dj-tier-${/^[a-z]+$/.test(tier) ? tier : "none"}`);
    if (opened.title) bar.append(make("strong", "dj-name", opened.title));
    if (opened.tier) bar.append(make("span", "dj-tier", opened.tier));
    this.total_ = make("span", "dj-muted dj-b-total");
    bar.append(this.total_, make("span", "dj-b-space"));
    this.clear = button("Clear", "dj-b-button", "All rows, in their own order", () => this.reset());
    this.copy = button("Copy as Python", "dj-b-button", "Copy the query that makes this table", () => this.copied());
    bar.append(this.clear, this.copy);
    this.code = make("code", "dj-b-code");
    this.code.tabIndex = 0;
    this.code.setAttribute("aria-label", "this table as a query");

    const main = make("div", "dj-b-main");
    const frame = make("div", "dj-b-frame");
    const grid = (this.grid = make("div", "dj-b-grid"));
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", `rows of ${opened.title || "a query"}`);
    grid.setAttribute("aria-colcount", this.columns.length);
    grid.style.setProperty("--dj-columns", this.widths(opened.rows));
    const wide = make("div", "dj-b-wide");
    wide.append(this.head());
    this.body = make("div", "dj-b-body");
    this.body.tabIndex = 0;
    this.body.setAttribute("role", "rowgroup");
    this.list = make("div", "dj-b-list");
    this.list.setAttribute("role", "presentation");
    this.body.append(this.list);
    wide.append(this.body);
    grid.append(wide);
    this.body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.select(Number(row.dataset.row), true);
    });
    frame.append(grid, this.scrollbar());
    this.aside = make("aside", "dj-b-aside");
    this.aside.hidden = true;
    this.aside.addEventListener("keydown", (event) => event.key === "Escape" && this.hide());
    main.append(frame, this.aside);

    const foot = make("div", "dj-b-foot dj-muted");
    this.place = make("span", "dj-b-place");
    this.status = make("span", "dj-b-status");
    this.status.setAttribute("role", "status");
    this.stop = button("Stop", "dj-b-button dj-b-small", "Do not wait for it", () => this.halt());
    this.stop.hidden = true;
    foot.append(this.place, this.status, this.stop);
    root.append(bar, this.code, main, foot);
    el.append(root);
  }

  widths(rows) {
    return this.columns
      .map((column, place) => {
        const texts = rows.slice(0, 40).map(({ cells }) => (typeof cells[place] === "string" ? cells[place] : cells[place][0]).length);
        const most = Math.max(...texts, column.name.length + 5, 9);
        return `${Math.min(most, 32) + 2.5}ch`;
      })
      .join(" ");
  }

  head() {
    const head = make("div", "dj-b-head");
    head.setAttribute("role", "rowgroup");
    const names = make("div", "dj-b-row dj-b-names");
    const fields = make("div", "dj-b-row dj-b-fields");
    names.setAttribute("role", "row");
    fields.setAttribute("role", "row");
    this.heads = [];
    this.inputs = [];
    for (const column of this.columns) {
      const cell = make("div", `dj-b-name${column.key ? " dj-b-key" : ""}`);
      cell.setAttribute("role", "columnheader");
      cell.setAttribute("aria-sort", "none");
      const about = [column.type, column.key ? "primary key" : "", column.comment].filter(Boolean).join(" · ");
      if (column.sortable) {
        const sort = button(column.name, "dj-b-sort", `${about}\nSort; with Shift, after the other columns`, (event) => this.sort(column.name, event.shiftKey));
        sort.append(make("span", "dj-b-arrow"));
        cell.append(sort);
      } else {
        const name = make("span", "dj-b-sort", column.name);
        name.title = about;
        cell.append(name);
      }
      if (column.counted) {
        const bars = button("", "dj-b-bars", `Values of ${column.name}`, () => this.count_values(column.name, false));
        bars.setAttribute("aria-label", `values of ${column.name}`);
        bars.append(make("i"), make("i"), make("i"));
        cell.append(bars);
      }
      names.append(cell);
      this.heads.push(cell);
      const field = make("div", "dj-b-field");
      field.setAttribute("role", "gridcell");
      const input = make("input", "dj-b-input");
      input.type = "search";
      input.placeholder = column.hint;
      input.title = `Filter ${column.name}: ${column.hint}, null, !null`;
      input.setAttribute("aria-label", `filter ${column.name}`);
      input.spellcheck = false;
      input.addEventListener("input", () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.filter(), 450);
      });
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") this.filter();
        if (event.key === "ArrowDown") this.body.focus();
      });
      field.append(input);
      fields.append(field);
      this.inputs.push(input);
    }
    head.append(names, fields);
    return head;
  }

  scrollbar() {
    const track = (this.track = make("div", "dj-b-track"));
    const thumb = (this.thumb = make("div", "dj-b-thumb"));
    track.append(thumb);
    track.tabIndex = 0;
    track.setAttribute("role", "scrollbar");
    track.setAttribute("aria-orientation", "vertical");
    track.setAttribute("aria-label", "place in all rows");
    track.setAttribute("aria-valuemin", "0");
    track.setAttribute("aria-valuemax", "100");
    let grip = 0;
    const at = (event) => {
      const box = track.getBoundingClientRect();
      const room = box.height - thumb.offsetHeight;
      return Math.min(Math.max((event.clientY - box.top - grip) / Math.max(room, 1), 0), 1);
    };
    track.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      const box = thumb.getBoundingClientRect();
      grip = event.target === thumb ? event.clientY - box.top : thumb.offsetHeight / 2;
      track.setPointerCapture(event.pointerId);
      this.drag(at(event));
    });
    track.addEventListener("pointermove", (event) => track.hasPointerCapture(event.pointerId) && this.drag(at(event)));
    track.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 0.01, ArrowUp: -0.01, PageDown: 0.1, PageUp: -0.1, Home: -1, End: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.drag(Math.min(Math.max((this.fraction || 0) + step, 0), 1));
    });
    return track;
  }
}
