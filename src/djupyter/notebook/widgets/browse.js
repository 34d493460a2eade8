/* The live table: order and filters, and what stands beside the rows. The other parts are put before this one. */

class Table extends Rows {
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

export default {
  render({ model, el }) {
    const table = new Table(model, el);
    return () => table.close();
  },
};
