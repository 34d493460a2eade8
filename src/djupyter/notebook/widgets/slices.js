// Sliders for the axes of an array that a picture does not show. They are put into the card of the array, wherever the
// page has it. Texts come from the kernel and are set as text, never as markup.

// Several pages may show one notebook.
const PAGE = Math.random().toString(36).slice(2);
// Milliseconds: when to say that there is no answer, and when to ask again all the same.
const SILENCE = 3_000;
const PATIENCE = 15_000;

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

// One conversation with the kernel: a request is sent when the one before is answered, always the newest.
class Asking {
  constructor(model) {
    this.model = model;
    this.axes = [...model.get("axes")];
    this.position = [...model.get("position")];
    this.number = 0;
    this.sent = 0;
    this.isWaiting = false;
    this.mounts = new Set(); // those in the page
    this.known = new WeakMap(); // all, by their places, which notebooks take out of the page and put back
    this.all = [];
    this.url = null;
    this.last = null;
    this.hear = (message, buffers) => this.answered(message, buffers);
    model.on("msg:custom", this.hear);
  }

  change(axes, position) {
    this.axes = axes;
    this.position = position;
    this.number += 1;
    this.mounts.forEach((mount) => mount.draw());
    this.send();
  }

  send() {
    // An answer may never come: another page may have asked for something newer.
    if (this.sent === this.number || (this.isWaiting && Date.now() - this.since < PATIENCE)) return;
    this.sent = this.number;
    this.isWaiting = true;
    this.since = Date.now();
    this.mounts.forEach((mount) => mount.busy(true));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.mounts.forEach((mount) => mount.silent()), SILENCE);
    this.model.send({ page: PAGE, number: this.number, axes: this.axes, position: this.position });
  }

  answered(message, buffers) {
    if (message.page !== PAGE || message.number !== this.sent) return;
    this.isWaiting = false;
    clearTimeout(this.timer);
    if (!message.failed) {
      const old = this.url;
      this.url = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
      if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
    }
    this.last = message;
    this.mounts.forEach((mount) => mount.show());
    this.send();
  }

  mount(slot) {
    const mount = this.known.get(slot) ?? new Mount(this, slot);
    if (this.mounts.has(mount)) return;
    if (!this.known.has(slot)) {
      this.known.set(slot, mount);
      this.all.push(new WeakRef(mount));
    }
    this.mounts.add(mount);
    mount.draw();
    if (this.last) mount.show();
  }

  end() {
    clearTimeout(this.timer);
    this.model.off("msg:custom", this.hear);
    this.all.forEach((mount) => mount.deref()?.remove());
    if (this.url) URL.revokeObjectURL(this.url);
  }
}

// The sliders in one place of the page.
class Mount {
  constructor(asking, slot) {
    this.asking = asking;
    this.slot = slot;
    this.picture = slot.closest(".dj-out")?.querySelector(".dj-picture");
    this.still = this.picture?.getAttribute("src");
    // What the card says of the middle plane, and of its values.
    this.note = slot.closest(".dj-out")?.querySelector(".dj-shown");
    this.fact = [...(slot.closest(".dj-out")?.querySelectorAll(".dj-facts th") ?? [])].find((head) =>
      head.textContent.startsWith("values"),
    )?.nextElementSibling;
    this.was = this.fact?.textContent;
    this.shape = asking.model.get("shape");
    this.colours = asking.model.get("colours");
    this.rows = [];
    slot.replaceChildren(...this.build());
    // Arrow keys move a slider: JupyterLab has shortcuts for them, and its notebook takes the focus at any key.
    slot.dataset.lmSuppressShortcuts = "true";
    slot.addEventListener("keydown", (event) => event.stopPropagation());
    slot.setAttribute("role", "group");
    slot.setAttribute("aria-label", "Which plane is shown");
    this.status.textContent = this.note?.textContent ?? "";
    if (this.note) this.note.hidden = true;
  }

  build() {
    const axes = this.shape.map((_, axis) => axis).filter((axis) => axis !== this.colours);
    this.down = this.choice("down", axes, 0);
    this.right = this.choice("right", axes, 1);
    const shown = make("div", "dj-slices-axes");
    shown.append(this.down.label, this.right.label);
    this.rows = axes.map((axis) => this.slider(axis));
    this.status = make("output", "dj-slices-status");
    return [shown, ...this.rows.map((row) => row.element), this.status];
  }

  choice(text, axes, place) {
    const label = make("label", "", `${text} `);
    const select = make("select");
    for (const axis of axes) {
      const option = make("option", "", `axis ${axis} (${this.shape[axis].toLocaleString("en")})`);
      option.value = String(axis);
      select.append(option);
    }
    select.addEventListener("change", () => {
      const chosen = [...this.asking.axes];
      const wanted = Number(select.value);
      // The other one gives way.
      if (chosen[1 - place] === wanted) chosen[1 - place] = chosen[place];
      chosen[place] = wanted;
      this.asking.change(chosen, this.asking.position);
    });
    label.append(select);
    return { label, select };
  }

  slider(axis) {
    const element = make("label", "dj-slices-row");
    const input = make("input");
    input.type = "range";
    input.min = "0";
    input.max = String(this.shape[axis] - 1);
    input.step = "1";
    input.setAttribute("aria-label", `position along axis ${axis}`);
    const number = make("span", "dj-slices-number");
    input.addEventListener("input", () => {
      const position = [...this.asking.position];
      position[axis] = Number(input.value);
      this.asking.change(this.asking.axes, position);
    });
    element.append(make("span", "dj-slices-name", `axis ${axis}`), input, number);
    return { axis, element, input, number };
  }

  draw() {
    const { axes, position } = this.asking;
    this.down.select.value = String(axes[0]);
    this.right.select.value = String(axes[1]);
    for (const row of this.rows) {
      row.element.hidden = axes.includes(row.axis) || this.shape[row.axis] < 2;
      row.input.value = String(position[row.axis]);
      const last = this.shape[row.axis] - 1;
      row.number.textContent = `${position[row.axis].toLocaleString("en")} of 0 … ${last.toLocaleString("en")}`;
    }
  }

  busy(isBusy) {
    this.slot.classList.toggle("dj-busy", isBusy);
  }

  silent() {
    this.status.textContent = "Waiting for the kernel, which is busy or gone.";
    this.status.className = "dj-slices-status";
  }

  show() {
    const { last, url, isWaiting } = this.asking;
    this.busy(isWaiting);
    if (last.failed) {
      this.status.textContent = last.failed;
      this.status.className = "dj-slices-status dj-failed";
      return;
    }
    this.status.textContent = `Shown: ${last.text}. ${last.note}`;
    if (this.fact && last.values) this.fact.textContent = last.values;
    this.status.className = "dj-slices-status";
    if (this.picture && url) {
      this.picture.src = url;
      this.picture.alt = `picture of ${last.text}`;
    }
  }

  remove() {
    if (this.picture && this.still) this.picture.src = this.still;
    if (this.fact) this.fact.textContent = this.was;
    if (this.note) this.note.hidden = false;
    this.slot.replaceChildren();
    delete this.slot.dataset.djTaken;
  }
}

function initialize({ model }) {
  const asking = new Asking(model);
  const find = () => {
    for (const mount of asking.mounts) {
      if (!mount.slot.isConnected) asking.mounts.delete(mount);
    }
    for (const slot of document.querySelectorAll(`[data-dj-slices="${CSS.escape(model.get("mark"))}"]`)) {
      // Another widget of the same object may have it.
      if (slot.dataset.djTaken && !asking.known.has(slot)) continue;
      slot.dataset.djTaken = "1";
      asking.mount(slot);
    }
  };
  // Outputs come and go: cells run again, notebooks draw only what is in sight.
  let isPlanned = false;
  const observer = new MutationObserver(() => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      find();
    });
  });
  observer.observe(document.body, { childList: true, subtree: true });
  find();
  return () => {
    observer.disconnect();
    asking.end();
  };
}

// Where somebody shows the widget itself, there is no card around it.
function render({ model, el }) {
  const asking = new Asking(model);
  const out = make("div", "dj-out");
  const picture = make("img", "dj-picture dj-slices-alone");
  picture.alt = "";
  const slot = make("div", "dj-slices");
  out.append(picture, slot);
  el.append(out);
  asking.mount(slot);
  asking.change(asking.axes, asking.position);
  return () => asking.end();
}

export default { initialize, render };
