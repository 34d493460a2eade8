/* The rows that are in the page, and the place of the page among all rows. */

const MOST = 360; // rows in the page
const KINDS = ["", "dj-number", "dj-null", "dj-summary"];

function rounded(total) {
  const digits = 10 ** Math.max(Math.floor(Math.log10(Math.max(total, 1))) - 2, 0);
  return number(Math.round(total / digits) * digits);
}

class Rows extends Frame {
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
}
