// The live diagram. The canvas is ipycytoscape's; its elements are put there from here, as plain data: as widget
// models of their own, as ipycytoscape would have them, 500 take 40 s. Nothing here waits for the kernel but a card.

function render({ model, el }) {
  const diagram = new Diagram(model, el);
  diagram.start();
  return () => diagram.stop();
}

export default { render };

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

class Diagram extends Colours {
  constructor(model, el) {
    super();
    this.model = model;
    this.el = el;
    this.graph = model.get("graph");
    this.direction = this.graph.direction;
    this.tables = new Map(this.graph.tables.map((table) => [table.id, table]));
    this.schemas = new Map(this.graph.schemas.map((schema) => [schema.id, schema]));
    // A schema is open, closed to one node, or as the diagram was made: some of its tables folded into one node.
    this.state = new Map(this.graph.schemas.map(({ id }) => [id, this.graph.closed ? "closed" : "made"]));
    this.neighbours = { up: new Map(), down: new Map() };
    for (const { parent, child } of this.graph.lines) {
      this.note(this.neighbours.down, parent, child);
      this.note(this.neighbours.up, child, parent);
    }
    this.chosen = null;
    this.stopped = false;
    this.endings = [];
  }

  note(map, key, value) {
    if (!map.has(key)) map.set(key, []);
    map.get(key).push(value);
  }

  async start() {
    this.draw();
    this.canvas = await this.findCanvas();
    if (!this.canvas || this.stopped) return;
    this.cy = this.canvas.cytoscape_obj;
    this.listen();
    this.rebuild();
    this.el.closest(".dj-live")?.classList.add("dj-ready");
    // The output below hides now, so what is on the screen moves: nothing else is to be done.
    this.fit();
  }

  stop() {
    this.stopped = true;
    for (const end of this.endings) end();
  }

  // -- the parts around the canvas --------------------------------------------------------------

  draw() {
    const button = (text, title, onclick) => make("button", { type: "button", title, onclick }, text);
    const names = make("datalist", { id: `dj-names-${this.model.get("canvas")}` });
    for (const { name } of this.tables.values()) names.append(make("option", { value: name }));
    this.search = make("input", {
      type: "search",
      placeholder: "Find a table",
      "aria-label": "Find a table",
      list: names.id,
      oninput: () => this.mark(),
      onkeydown: (event) => event.key === "Enter" && this.next(),
    });
    this.said = make("span", { class: "dj-said", role: "status" });
    this.reach = make("select", { "aria-label": "What a click highlights", title: "What a click highlights", onchange: () => this.highlight() });
    for (const [value, text] of [["both", "both ways"], ["up", "ancestors"], ["down", "descendants"]])
      this.reach.append(make("option", { value }, text));
    this.turn = button(this.direction === "LR" ? "↓" : "→", "Lay out the other way", () => this.turned());
    const several = this.schemas.size > 1 || this.tables.size > 1;
    const bar = make(
      "div",
      { class: "dj-bar", role: "toolbar", "aria-label": "Diagram" },
      this.search,
      names,
      this.said,
      make("label", {}, "follow ", this.reach),
      make("span", { class: "dj-space" }),
      ...(several ? [button("Collapse", "Collapse all schemas", () => this.all("closed"))] : []),
      ...(several ? [button("Expand", "Expand all schemas", () => this.all("open"))] : []),
      this.turn,
      button("−", "Smaller", () => this.zoom(1 / 1.25)),
      button("+", "Larger", () => this.zoom(1.25)),
      button("Fit", "Show all of it", () => this.fit()),
      button("Picture", "Show or hide the picture of everything below", () => this.toggle()),
      button("SVG", "Download the picture as SVG", () => this.download()),
    );
    this.tip = make("pre", { class: "dj-tip", hidden: "" });
    this.el.classList.add("dj-panel");
    this.el.append(bar, this.legend(), this.tip);
  }

  legend() {
    const kinds = new Set(this.graph.tables.map((table) => table.kind));
    const lines = new Set(this.graph.lines.flatMap((line) => line.classes.split(" ")));
    const entries = ["Manual", "Lookup", "Imported", "Computed", "Part", "Other"].filter((kind) => kinds.has(kind));
    const legend = make("div", { class: "dj-legend", "aria-label": "Legend" });
    this.swatches = [];
    for (const kind of entries) {
      const swatch = make("i", { class: `dj-swatch dj-${kind.toLowerCase()}` });
      this.swatches.push([swatch, kind]);
      legend.append(make("span", {}, swatch, kind === "Other" ? "other table" : kind));
    }
    const words = { line: "primary", dashed: "secondary", thick: "one-to-one", renamed: "renamed" };
    for (const [name, text] of Object.entries(words))
      if (lines.has(name)) {
        const stroke = make("i", { class: `dj-stroke dj-${name}` });
        this.swatches.push([stroke, name]);
        legend.append(make("span", {}, stroke, text));
      }
    return legend;
  }

  async findCanvas() {
    const manager = this.model.widget_manager;
    const canvas = await manager.get_model(this.model.get("canvas"));
    const box = () => this.el.closest(".dj-live");
    for (let tries = 0; tries < 600 && !this.stopped; tries++) {
      for (const promise of Object.values(canvas.views || {})) {
        const view = await promise;
        if (view.cytoscape_obj && box()?.contains(view.el)) return view;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return null;
  }

  // -- what is drawn ----------------------------------------------------------------------------

  rebuild() {
    const { cy } = this;
    cy.startBatch();
    cy.elements().remove();
    cy.add(this.elements());
    cy.endBatch();
    this.paint();
    this.layOut();
    this.highlight();
    this.tellVisible();
  }

  zoom(factor) {
    const { cy } = this;
    const middle = { x: cy.width() / 2, y: cy.height() / 2 };
    cy.zoom({ level: Math.min(Math.max(cy.zoom() * factor, 0.05), 4), renderedPosition: middle });
  }

  turned() {
    this.direction = this.direction === "LR" ? "TB" : "LR";
    this.turn.textContent = this.direction === "LR" ? "↓" : "→";
    this.layOut();
  }

  all(state) {
    for (const id of this.state.keys()) this.state.set(id, state);
    this.rebuild();
  }

  toggle() {
    this.el.closest(".dj-live")?.classList.toggle("dj-with-picture");
  }

  picture() {
    const child = this.el.closest(".jp-OutputArea-child");
    return child?.previousElementSibling?.querySelector(".dj-picture img");
  }

  download() {
    const picture = this.picture();
    if (!picture) return this.say("Use diagram.save(\"diagram.svg\").");
    const text = decodeURIComponent(picture.src.slice(picture.src.indexOf(",") + 1));
    const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    const link = make("a", { href: url, download: "diagram.svg" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  say(text) {
    this.said.textContent = text;
  }

  // -- what the user does -----------------------------------------------------------------------

  listen() {
    const { cy, canvas, model } = this;
    canvas.el.setAttribute("role", "img");
    canvas.el.setAttribute("aria-label", "Live diagram; find its tables in the box above");
    cy.userZoomingEnabled(false);
    cy.on("tap", "node", ({ target }) => this.tapped(target));
    cy.on("tap", (event) => event.target === cy && this.choose(null));
    cy.on("mouseover", "node, edge", (event) => this.hover(event));
    cy.on("mouseout viewport drag", () => this.hideTip());
    const wheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, top } = canvas.el.getBoundingClientRect();
      const at = { x: event.clientX - left, y: event.clientY - top };
      cy.zoom({ level: Math.min(Math.max(cy.zoom() * Math.exp(-event.deltaY / 300), 0.05), 4), renderedPosition: at });
    };
    canvas.el.addEventListener("wheel", wheel, { passive: false });
    let width = canvas.el.clientWidth;
    const resized = new ResizeObserver(() => {
      if (canvas.el.clientWidth === width) return;
      width = canvas.el.clientWidth;
      this.fit();
    });
    resized.observe(canvas.el);
    const themed = new MutationObserver(() => {
      if (this.palette !== this.graph.palettes[isDark() ? "dark" : "light"]) this.paint();
    });
    const watched = { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"] };
    themed.observe(document.body, watched);
    themed.observe(document.documentElement, watched);
    const counted = () => this.count();
    model.on("change:badges", counted);
    // While somebody may be looking the kernel goes on counting.
    const alive = setInterval(() => {
      if (!document.hidden && canvas.el.offsetParent) model.send({ kind: "alive" });
    }, 60000);
    this.endings.push(
      () => canvas.el.removeEventListener("wheel", wheel),
      () => resized.disconnect(),
      () => themed.disconnect(),
      () => model.off("change:badges", counted),
      () => clearInterval(alive),
    );
  }

  tapped(node) {
    if (node.hasClass("group")) this.fold(node.id(), "closed");
    else if (node.hasClass("all")) this.fold(node.data("schema"), "open");
    else this.choose(node.id());
  }

  fold(schema, state) {
    this.state.set(schema, state);
    this.hideTip();
    this.rebuild();
  }

  choose(id) {
    this.chosen = id;
    this.highlight();
    this.model.send({ kind: "chosen", table: id });
  }

  highlight() {
    const { cy } = this;
    cy.batch(() => {
      cy.elements().removeClass("faded chosen");
      if (this.chosen === null) return;
      const tables = new Set([this.chosen]);
      const ways = this.reach.value === "both" ? ["up", "down"] : [this.reach.value];
      for (const way of ways) this.follow(this.neighbours[way], tables);
      const shown = new Set([...tables].map((id) => this.shownAs(id)));
      cy.nodes(".table, .all").forEach((node) => void (shown.has(node.id()) || node.addClass("faded")));
      cy.edges().forEach(
        (edge) => void ((shown.has(edge.source().id()) && shown.has(edge.target().id())) || edge.addClass("faded")),
      );
      cy.getElementById(this.shownAs(this.chosen)).addClass("chosen");
    });
  }

  follow(neighbours, tables) {
    const waiting = [this.chosen];
    const seen = new Set(waiting);
    while (waiting.length)
      for (const near of neighbours.get(waiting.pop()) || []) {
        if (seen.has(near)) continue;
        seen.add(near);
        tables.add(near);
        waiting.push(near);
      }
  }

  matches() {
    const wanted = this.search.value.trim().toLowerCase();
    if (!wanted) return [];
    const all = [...this.tables.values()];
    const exact = all.filter(({ name }) => name.toLowerCase() === wanted);
    return exact.length ? exact : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  }

  mark() {
    if (!this.cy) return;
    const found = this.matches();
    this.cy.elements().removeClass("found");
    for (const { id } of found) this.cy.getElementById(this.shownAs(id)).addClass("found");
    this.place = -1;
    this.say(this.search.value.trim() ? `${found.length} found` : "");
  }

  next() {
    const found = this.matches();
    if (!found.length || !this.cy) return;
    this.place = ((this.place ?? -1) + 1) % found.length;
    const { id, schema } = found[this.place];
    if (this.shownAs(id) !== id) {
      this.state.set(schema, "open");
      this.rebuild();
    }
    this.say(`${this.place + 1} of ${found.length}`);
    this.cy.elements().removeClass("found");
    for (const each of found) this.cy.getElementById(this.shownAs(each.id)).addClass("found");
    const node = this.cy.getElementById(id);
    this.cy.zoom({ level: Math.max(this.cy.zoom(), 0.8), position: node.position() });
    this.cy.center(node);
    this.choose(id);
  }

  hover({ target, originalEvent }) {
    const id = target.id();
    const table = this.tables.get(id);
    let text = "";
    if (table) text = `${table.name} : ${table.tier}\n${table.note}`;
    else if (target.isEdge()) text = target.data("words");
    else text = target.hasClass("all") ? "Click to show its tables" : "Click to show it as one";
    if (!text || !originalEvent) return this.hideTip();
    this.tip.textContent = text;
    this.tip.hidden = false;
    this.canvas.el.style.cursor = target.isEdge() ? "default" : "pointer";
    const [width, height] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = Math.min(originalEvent.clientX + 14, window.innerWidth - width - 8);
    const below = originalEvent.clientY + 18;
    const top = below + height < window.innerHeight ? below : originalEvent.clientY - height - 12;
    Object.assign(this.tip.style, { left: `${Math.max(left, 4)}px`, top: `${Math.max(top, 4)}px` });
  }

  hideTip() {
    this.tip.hidden = true;
    if (this.canvas) this.canvas.el.style.cursor = "";
  }

  tellVisible() {
    const visible = this.cy.nodes(".table").map((node) => node.id());
    this.model.send({ kind: "visible", tables: visible });
  }
}
