/* The live table. Data enters the page as text, never as markup; cards of objects, which are markup of our own making,
   pass through a list of elements and attributes that do nothing. */

const MOST = 360; // rows in the page
const SLOW = 180; // milliseconds before it says that it works
const KINDS = ["", "dj-number", "dj-null", "dj-summary"];

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(label, className, title, click) {
  const node = make("button", className, label);
  node.type = "button";
  if (title) node.title = title;
  node.addEventListener("click", click);
  return node;
}

const number = (value) => Math.round(value).toLocaleString("en-US");

/* ---- markup of our own cards ---- */

const ELEMENTS = new Set(
  ("div span p br hr b i em strong code pre small sub sup ul ol li table caption thead tbody tr th td details summary figure " +
    "figcaption img audio video svg g path line polyline polygon rect circle ellipse text tspan title desc style").split(" "),
);
const ATTRIBUTES = new Set(
  ("class title colspan rowspan scope role tabindex open alt width height viewbox d points x y x1 y1 x2 y2 cx cy r rx ry dx dy " +
    "fill stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray opacity transform text-anchor dominant-baseline " +
    "preserveaspectratio controls type font-size vector-effect").split(" "),
);

function harmless(name, value) {
  if (name === "src") return /^data:(image\/(png|jpeg|gif|webp)|audio\/|video\/)/i.test(value);
  if (name === "style") return !/url|expression|@|\\|\/\*/i.test(value);
  return ATTRIBUTES.has(name) || name.startsWith("aria-") || name.startsWith("data-dj");
}

function copied(from, into) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      into.append(child.textContent);
    } else if (child.nodeType === Node.ELEMENT_NODE && ELEMENTS.has(child.localName)) {
      const node = document.createElementNS(child.namespaceURI, child.localName);
      for (const { name, value } of child.attributes) {
        if (harmless(name.toLowerCase(), value)) node.setAttribute(name, value);
      }
      copied(child, node);
      into.append(node);
    }
  }
}

function card(html) {
  const box = make("div", "dj-b-card");
  copied(new DOMParser().parseFromString(html, "text/html").body, box);
  return box;
}

/* ---- the table ---- */

class Table {
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

  /* ---- rows ---- */

  show(message) {
    this.view = message.view;
    this.text = message.text;
    this.code.textContent = message.text;
    this.total = message.total;
    this.counted = message.counted;
    this.selected = this.chosen = null;
    this.clear.hidden = !this.order.length && !Object.values(this.filters).some((text) => text.trim());
    for (const input of this.inputs) input.removeAttribute("aria-invalid");
    this.page({ ...message, do: "view" });
  }

  opened(message) {
    this.say("");
    this.show(message);
    this.hide();
    this.ask("walk", {});
  }

  drawn(rows) {
    const fragment = document.createDocumentFragment();
    for (const row of rows) {
      const line = make("div", "dj-b-row");
      line.setAttribute("role", "row");
      line.dataset.row = row.id;
      line.id = `dj-${this.client}-${row.id}`;
      row.cells.forEach((cell, place) => {
        const [text, kind] = typeof cell === "string" ? [cell, 0] : cell;
        const box = make("div", `dj-b-cell ${KINDS[kind] || ""}${this.columns[place].look}`, text);
        box.setAttribute("role", "gridcell");
        if (text.length > 20) box.title = text;
        line.append(box);
      });
      fragment.append(line);
    }
    return fragment;
  }

  page(message) {
    const { rows } = message;
    if (message.do === "after") {
      this.list.append(this.drawn(rows));
      this.rows.push(...rows);
      this.bottom = message.bottom;
      const over = Math.max(this.rows.length - MOST, 0);
      const place = this.body.scrollTop;
      const height = this.list.offsetHeight;
      for (let i = 0; i < over; i++) this.list.firstElementChild.remove();
      this.rows.splice(0, over);
      if (over) this.top = false;
      if (over) this.body.scrollTop = place - (height - this.list.offsetHeight);
      if (this.start !== null) this.start += over;
    } else if (message.do === "before") {
      const place = this.body.scrollTop;
      const height = this.list.offsetHeight;
      this.list.prepend(this.drawn(rows));
      this.rows.unshift(...rows);
      this.top = message.top;
      this.body.scrollTop = place + (this.list.offsetHeight - height);
      const over = Math.max(this.rows.length - MOST, 0);
      for (let i = 0; i < over; i++) this.list.lastElementChild.remove();
      if (over) this.rows.splice(this.rows.length - over, over);
      if (over) this.bottom = false;
      if (this.start !== null) this.start = Math.max(this.start - rows.length, 0);
    } else {
      this.rows = rows.slice();
      this.list.replaceChildren(this.drawn(rows));
      this.start = message.start;
      this.exact = message.exact;
      this.top = message.top;
      this.bottom = message.bottom;
      if (!rows.length) this.list.append(make("div", "dj-b-none", "no rows"));
      this.body.scrollTop = message.do === "end" || message.ended ? this.body.scrollHeight : 0;
    }
    if (this.top) [this.start, this.exact] = [0, true];
    if (message.total !== undefined) this.count(message.total ?? this.total, message.counted || (this.counted && message.total === null));
    if (this.bottom && this.start !== null && this.exact) this.count(this.start + this.rows.length, true);
    if (this.bottom && !this.exact && this.total) this.start = Math.max(this.total - this.rows.length, 0);
    this.mark();
    this.fit();
  }

  fit() {
    // The list knows its height in its own pixels, whatever the zoom.
    if (this.rows.length) this.rowHeight = this.list.offsetHeight / this.rows.length || this.rowHeight;
    this.visible = Math.max(Math.floor(this.body.clientHeight / this.rowHeight), 1);
    this.scrolled();
  }

  count(total, counted) {
    this.total = total;
    this.counted = counted;
    const known = total !== null && total !== undefined;
    if (!known) this.total_.textContent = `more than ${number(this.rows.length)} rows`;
    else this.total_.textContent = `${counted ? "" : "about "}${counted ? number(total) : rounded(total)} row${total === 1 ? "" : "s"}`;
    this.grid.setAttribute("aria-rowcount", known ? total : -1);
    this.position();
  }

  scrolled() {
    const place = this.body.scrollTop / this.rowHeight;
    const under = this.rows.length - place - this.visible;
    this.position();
    if (this.pending.has("rows") || !this.rows.length) return;
    if (!this.bottom && under < 30) this.ask("after", { row: this.rows[this.rows.length - 1].id });
    else if (!this.top && place < 30) this.ask("before", { row: this.rows[0].id });
  }

  position() {
    const place = this.body.scrollTop / this.rowHeight;
    const known = this.total !== null && this.total !== undefined;
    const whole = this.top && this.bottom;
    const total = whole ? this.rows.length : known ? this.total : null;
    const first = (whole ? 0 : this.start) + place;
    if (this.start !== null && total !== null && this.dragged === undefined && !this.pendingJump()) {
      const atEnd = this.bottom && place + this.visible + 1 >= this.rows.length;
      this.fraction = atEnd && !(this.top && place < 1) ? 1 : Math.min(Math.max(first / Math.max(total - this.visible, 1), 0), 1);
    }
    const share = total ? Math.min((this.visible || 1) / total, 1) : 0.02;
    const room = this.track.clientHeight;
    const size = Math.max(share * room, 28);
    this.thumb.style.height = `${size}px`;
    this.thumb.style.transform = `translateY(${(this.fraction || 0) * Math.max(room - size, 0)}px)`;
    this.track.classList.toggle("dj-b-off", share >= 1);
    this.track.setAttribute("aria-valuenow", Math.round((this.fraction || 0) * 100));
    if (!this.rows.length) this.place.textContent = "";
    else if (this.start === null) this.place.textContent = `${Math.round((this.fraction || 0) * 100)} % of the way`;
    else {
      const last = Math.min(first + this.visible, this.start + this.rows.length);
      const about = this.exact || whole ? "" : "about ";
      this.place.textContent = `rows ${about}${number(Math.floor(first) + 1)} to ${number(Math.max(last, Math.floor(first) + 1))}`;
    }
  }

  pendingJump() {
    return this.jumping !== undefined && this.pending.get("rows") === this.jumping;
  }

  drag(fraction) {
    this.fraction = fraction;
    if (this.top && this.bottom) {
      this.body.scrollTop = fraction * (this.body.scrollHeight - this.body.clientHeight);
      this.position();
      return;
    }
    if (this.pendingJump()) {
      this.dragged = fraction; // asked for when the answer to the last one is there
      this.position();
      return;
    }
    this.dragged = undefined;
    this.jumping = fraction >= 0.9999 ? this.ask("end", {}) : this.ask("jump", { fraction });
    this.position();
  }

  halt() {
    this.pending.clear();
    this.dragged = this.jumping = undefined;
    this.model.send({ do: "stop", id: ++this.asked, client: this.client });
    this.work();
    this.say("Stopped.");
  }

  /* ---- order and filters ---- */

  reload() {
    this.dragged = this.jumping = undefined;
    this.heads.forEach((cell, place) => {
      const found = this.order.findIndex(([name]) => name === this.columns[place].name);
      const way = found < 0 ? "none" : this.order[found][1] ? "descending" : "ascending";
      cell.setAttribute("aria-sort", way);
      const arrow = cell.querySelector(".dj-b-arrow");
      if (arrow) arrow.textContent = found < 0 ? "" : `${this.order[found][1] ? "▼" : "▲"}${this.order.length > 1 ? found + 1 : ""}`;
    });
    this.ask("view", { order: this.order, filters: this.filters });
  }

  sort(name, also) {
    const found = this.order.find(([each]) => each === name);
    const others = also ? this.order.filter(([each]) => each !== name) : [];
    if (!found) this.order = [...others, [name, false]];
    else if (!found[1]) this.order = also ? this.order.map((each) => (each[0] === name ? [name, true] : each)) : [[name, true]];
    else this.order = others;
    this.reload();
  }

  filter() {
    clearTimeout(this.typing);
    const typed = {};
    this.inputs.forEach((input, place) => {
      if (input.value.trim()) typed[this.columns[place].name] = input.value;
    });
    if (JSON.stringify(typed) === JSON.stringify(this.filters)) return;
    this.filters = typed;
    this.reload();
  }

  reset() {
    this.order = [];
    this.filters = {};
    for (const input of this.inputs) input.value = "";
    this.reload();
  }

  async copied() {
    try {
      await navigator.clipboard.writeText(this.text);
    } catch {
      const area = make("textarea");
      area.value = this.text;
      this.root.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    this.copy.textContent = "Copied";
    setTimeout(() => (this.copy.textContent = "Copy as Python"), 1500);
  }

  /* ---- one row ---- */

  key(event) {
    const { key } = event;
    const page = Math.max(this.visible - 1, 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[key];
    if (step !== undefined) this.move(step);
    else if (key === "Home") this.drag(0);
    else if (key === "End") this.drag(1);
    else if (key === "Enter" && this.selected !== null) this.select(this.selected, true);
    else if (key === "Escape") this.hide();
    else return;
    event.preventDefault();
  }

  move(step) {
    if (!this.rows.length) return;
    const seen = Math.ceil(this.body.scrollTop / this.rowHeight);
    const now = this.rows.findIndex((row) => row.id === this.selected);
    const next = now < 0 ? seen : Math.min(Math.max(now + step, 0), this.rows.length - 1);
    this.select(this.rows[next].id, false);
    const top = next * this.rowHeight;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    const low = top + this.rowHeight - this.body.clientHeight;
    if (low > this.body.scrollTop) this.body.scrollTop = low;
  }

  select(id, opens) {
    this.selected = id;
    this.mark();
    clearTimeout(this.looking);
    if (opens) this.look();
    else if (!this.aside.hidden) this.looking = setTimeout(() => this.look(), 150);
  }

  mark() {
    for (const line of this.list.querySelectorAll("[aria-selected]")) line.removeAttribute("aria-selected");
    const line = this.selected === null ? null : this.list.querySelector(`[data-row="${this.selected}"]`);
    if (line) line.setAttribute("aria-selected", "true");
    if (line) this.body.setAttribute("aria-activedescendant", line.id);
    else this.body.removeAttribute("aria-activedescendant");
  }

  look() {
    this.shownDetail = this.ask("detail", { row: this.selected });
  }

  asideHead(title) {
    const head = make("div", "dj-b-asidehead");
    head.append(make("strong", "", title), make("span", "dj-b-space"), button("×", "dj-b-button dj-b-small", "Close", () => this.hide()));
    head.lastChild.setAttribute("aria-label", "close");
    this.aside.hidden = false;
    return head;
  }

  hide() {
    if (this.aside.contains(document.activeElement)) this.body.focus();
    this.aside.hidden = true;
    this.aside.replaceChildren();
  }

  detail(message) {
    const list = make("div", "dj-b-values");
    this.boxes = new Map();
    for (const value of message.values) {
      const term = make("div", value.key ? "dj-b-term dj-b-key" : "dj-b-term", value.name);
      term.append(make("span", "dj-muted", value.type));
      if (value.comment) term.title = value.comment;
      const look = { null: "dj-null", summary: "dj-summary" }[value.kind] || "";
      const box = make("div", `dj-b-value ${look}`, value.text);
      list.append(term, box);
      if (value.opaque) this.boxes.set(value.name, box);
    }
    this.aside.replaceChildren(this.asideHead("Row"), list);
    this.aside.scrollTop = 0;
  }

  value(message) {
    const box = this.boxes && this.boxes.get(message.name);
    if (!box || message.row !== this.selected) return;
    if (message.html) box.replaceChildren(card(message.html));
    else box.replaceChildren(make("pre", message.failed ? "dj-b-failed" : "", message.text));
  }

  /* ---- values of a column ---- */

  count_values(name, all) {
    this.ask("histogram", { name, all });
  }

  histogram(message) {
    const { name, bars, nulls, sampled } = message;
    const most = Math.max(...bars.map((bar) => bar.count), nulls, 1);
    const list = make("div", "dj-b-histogram");
    const place = this.columns.findIndex((column) => column.name === name);
    const add = (label, count, typed, className) => {
      const bar = button("", "dj-b-bar-row", `Show only these: ${typed}`, () => {
        this.inputs[place].value = typed;
        this.filter();
      });
      const line = make("span", "dj-b-line");
      const fill = make("span", "dj-b-fill");
      fill.style.width = `${(100 * count) / most}%`;
      line.append(fill);
      bar.append(make("span", `dj-b-label ${className}`, label), line, make("span", "dj-b-count", number(count)));
      list.append(bar);
    };
    for (const bar of bars) add(bar.label, bar.count, bar.typed, "");
    if (nulls) add("NULL", nulls, "null", "dj-null");
    if (!bars.length && !nulls) list.append(make("div", "dj-b-none", "no rows"));
    const parts = [this.asideHead(name), list];
    if (sampled) {
      const note = make("div", "dj-muted dj-b-note", `In ${number(sampled)} rows, spread evenly over all. `);
      note.append(button("Count all rows", "dj-b-button dj-b-small", "May take long", () => this.count_values(name, true)));
      parts.push(note);
    }
    this.aside.replaceChildren(...parts);
    this.aside.scrollTop = 0;
  }
}

function rounded(total) {
  const digits = 10 ** Math.max(Math.floor(Math.log10(Math.max(total, 1))) - 2, 0);
  return number(Math.round(total / digits) * digits);
}

export default {
  render({ model, el }) {
    const table = new Table(model, el);
    return () => table.close();
  },
};
