// The live diagram. The canvas is ipycytoscape's; its elements are put there from here, as plain data: as widget
// models of their own, as ipycytoscape would have them, 500 take 40 s. Nothing here waits for the kernel but a card.

const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";
const TALLEST = 620;
const LEAST_ZOOM = 0.4;

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

function isDark() {
  const { body, documentElement } = document;
  return (
    body.dataset.jpThemeLight === "false" ||
    documentElement.dataset.theme === "dark" ||
    body.classList.contains("vscode-dark")
  );
}

function mixed(from, to, part) {
  const channel = (colour, at) => parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);
  const mix = [0, 1, 2].map((at) => channel(from, at) * (1 - part) + channel(to, at) * part);
  return `rgb(${mix.map(Math.round).join(",")})`;
}

class Diagram {
  constructor(model, el) {
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

  shownAs(id) {
    const { schema, folded } = this.tables.get(id);
    const state = this.state.get(schema);
    return state === "closed" || (state === "made" && folded) ? `${schema}/all` : id;
  }

  elements() {
    const nodes = new Map();
    const counts = new Map();
    for (const table of this.tables.values()) {
      const id = this.shownAs(table.id);
      counts.set(id, (counts.get(id) || 0) + 1);
      if (id !== table.id) continue;
      const data = { id, parent: table.schema, w: table.width, h: 36, text: table.label };
      nodes.set(id, { group: "nodes", data, classes: `table ${table.kind}` });
    }
    const open = new Set([...nodes.keys()].map((id) => this.tables.get(id).schema));
    for (const schema of this.schemas.values()) {
      const id = `${schema.id}/all`;
      const number = counts.get(id);
      if (number) {
        const parent = open.has(schema.id) ? schema.id : undefined;
        const text = `${schema.label}\n${number} table${number === 1 ? "" : "s"}`;
        const data = { id, parent, w: Math.max(schema.width, 90), h: 42, text, schema: schema.id };
        nodes.set(id, { group: "nodes", data, classes: "all" });
      }
    }
    const groups = [...this.schemas.values()]
      .filter(({ id }) => open.has(id))
      .map(({ id, label }) => ({ group: "nodes", data: { id, text: label }, classes: "group" }));
    return [...groups, ...nodes.values(), ...this.edges()];
  }

  edges() {
    const edges = new Map();
    this.graph.lines.forEach((line, place) => {
      const [source, target] = [this.shownAs(line.parent), this.shownAs(line.child)];
      if (source === target) return;
      const plain = source === line.parent && target === line.child;
      const id = plain ? `e${place}` : `${source}>${target}`;
      const words = plain ? line.words : "";
      edges.set(id, { group: "edges", data: { id, source, target, words }, classes: plain ? line.classes : "line" });
    });
    return edges.values();
  }

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

  // Within a schema tables stand where the kernel has placed them, as in the picture; dagre places the schemas.
  layOut() {
    const { cy } = this;
    const blocks = this.blocks();
    const corners = this.corners(blocks);
    cy.startBatch();
    for (const [schema, { boxes, size }] of blocks) {
      const [x, y] = corners.get(schema);
      const places = Object.entries(boxes);
      for (const [id, [dx, dy]] of places) cy.getElementById(id).position({ x: x + dx, y: y + dy });
      this.frame(cy.getElementById(schema), size, places);
    }
    cy.edges().forEach((edge) => this.route(edge, blocks, corners));
    cy.endBatch();
    this.fit();
  }

  blocks() {
    const { blocks, made } = this.graph;
    const found = new Map();
    for (const { id, width } of this.schemas.values()) {
      const state = this.state.get(id);
      if (state === "closed") {
        const size = [Math.max(width, 90), 42];
        const middle = [size[0] / 2, size[1] / 2];
        found.set(id, { size, boxes: { [`${id}/all`]: middle }, ways: {}, entries: {}, exits: {} });
      } else {
        found.set(id, ((state === "made" && made) || blocks)[this.direction][id]);
      }
    }
    return found;
  }

  corners(blocks) {
    const { cy } = this;
    const name = (schema) => `block ${schema}`;
    const nodes = [...blocks].map(([id, { size }]) => ({
      group: "nodes",
      data: { id: name(id), w: size[0], h: size[1] },
      classes: "block",
    }));
    const pairs = new Set();
    for (const { parent, child } of this.graph.lines) {
      const [from, to] = [this.tables.get(parent).schema, this.tables.get(child).schema];
      if (from !== to) pairs.add(`${from}>${to}`);
    }
    const edges = [...pairs].map((pair) => {
      const [source, target] = pair.split(">").map(name);
      return { group: "edges", data: { id: `block ${pair}`, source, target } };
    });
    const added = cy.add([...nodes, ...edges]);
    const options = { name: "dagre", rankDir: this.direction, nodeSep: 22, rankSep: 48, animate: false, fit: false };
    added.layout(options).run();
    const corners = new Map();
    for (const [id, { size }] of blocks) {
      const { x, y } = cy.getElementById(name(id)).position();
      corners.set(id, [x - size[0] / 2, y - size[1] / 2]);
    }
    added.remove();
    return corners;
  }

  // The frame of an open schema reaches around the lines too; what it has beyond its tables is given as such.
  frame(group, [width, height], places) {
    if (!group.length) return;
    const boxes = places.map(([id, [x, y]]) => [x, y, this.cy.getElementById(id).data()]);
    const least = (at, side) => Math.min(...boxes.map((box) => box[at] - box[2][side] / 2));
    const most = (at, side) => Math.max(...boxes.map((box) => box[at] + box[2][side] / 2));
    const [left, right] = [least(0, "w") - 12, width - 12 - most(0, "w")];
    const [top, bottom] = [least(1, "h") - 32, height - 12 - most(1, "h")];
    const part = (one, other) => `${one + other > 0 ? Math.round((100 * one) / (one + other)) : 50}%`;
    group.style({
      "min-width": width - 24,
      "min-width-bias-left": part(left, right),
      "min-width-bias-right": part(right, left),
      "min-height": height - 44,
      "min-height-bias-top": part(top, bottom),
      "min-height-bias-bottom": part(bottom, top),
    });
  }

  route(edge, blocks, corners) {
    const [source, target] = [edge.source(), edge.target()];
    const schemaOf = (node) => node.data("schema") || node.data("parent");
    const [from, to] = [schemaOf(source), schemaOf(target)];
    const moved = (way, schema) => {
      const [x, y] = corners.get(schema);
      return way.map(([dx, dy]) => [x + dx, y + dy]);
    };
    const across = this.direction === "LR";
    const border = (node, side) => {
      const { x, y } = node.position();
      return across ? [x + (side * node.data("w")) / 2, y] : [x, y + (side * node.data("h")) / 2];
    };
    let way;
    if (from === to) {
      way = blocks.get(from).ways[`${source.id()}>${target.id()}`];
      way = way && moved(way, from);
    } else {
      const out = blocks.get(from).exits[source.id()];
      const into = blocks.get(to).entries[target.id()];
      way = [
        ...(out ? moved(out, from) : [border(source, 1)]),
        ...(into ? moved(into, to) : [border(target, -1)]),
      ];
    }
    if (!way) return;
    const aside = edge.parallelEdges().length > 1 ? edge.parallelEdges().indexOf(edge) * 7 - 3.5 : 0;
    const points = this.smooth(across ? way.map(([x, y]) => [x, y + aside]) : way.map(([x, y]) => [x + aside, y]));
    const [a, b] = [source.position(), target.position()];
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const [ux, uy] = [(b.x - a.x) / length, (b.y - a.y) / length];
    edge.style({
      "curve-style": "unbundled-bezier",
      "edge-distances": "node-position",
      "source-endpoint": across ? `50% ${aside}px` : `${aside}px 50%`,
      "target-endpoint": across ? `-50% ${aside}px` : `${aside}px -50%`,
      "control-point-weights": points.map(([x, y]) => ((x - a.x) * ux + (y - a.y) * uy) / length),
      "control-point-distances": points.map(([x, y]) => (y - a.y) * ux - (x - a.x) * uy),
    });
  }

  // Straight along the direction, an S across it: the curve runs through the middle between two control points.
  smooth(way) {
    const points = [];
    const at = this.direction === "LR" ? 0 : 1;
    for (let place = 0; place + 1 < way.length; place++) {
      const [from, to] = [way[place], way[place + 1]];
      const middle = (from[at] + to[at]) / 2;
      if (from[0] === to[0] && from[1] === to[1]) continue; // an arrow there would have no direction
      if (from[1 - at] === to[1 - at]) points.push(at ? [from[0], middle] : [middle, from[1]]);
      else points.push(...(at ? [[from[0], middle], [to[0], middle]] : [[middle, from[1]], [middle, to[1]]]));
    }
    return points;
  }

  fit() {
    const { cy, canvas } = this;
    if (!cy || !canvas.el.clientWidth) return;
    const room = cy.elements().boundingBox();
    const width = canvas.el.clientWidth - 32;
    const wide = Math.max(Math.min(1, width / room.w), LEAST_ZOOM);
    const height = Math.min(Math.max(room.h * wide + 32, 120), TALLEST);
    const zoom = Math.max(Math.min(wide, (height - 32) / room.h), LEAST_ZOOM);
    canvas.el.style.height = `${Math.round(height)}px`;
    cy.resize();
    cy.zoom(zoom);
    const fits = room.w * zoom <= width;
    // What is too wide begins at its beginning.
    const x = fits ? (canvas.el.clientWidth - room.w * zoom) / 2 - room.x1 * zoom : 16 - room.x1 * zoom;
    cy.pan({ x, y: Math.max((height - room.h * zoom) / 2, 16) - room.y1 * zoom });
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

  // -- colours ----------------------------------------------------------------------------------

  paint() {
    const palette = this.graph.palettes[isDark() ? "dark" : "light"];
    this.palette = palette;
    const boxes = Object.entries(palette.boxes).flatMap(([kind, ink]) => [
      {
        selector: kind === "Collapsed" ? ".all" : `.${kind}`,
        style: { "background-color": ink.fill, "border-color": ink.stroke, color: ink.text },
      },
    ]);
    const line = { "line-color": palette.line, "target-arrow-color": palette.line };
    const renamed = { "line-color": palette.renamed, "target-arrow-color": palette.renamed };
    this.cy.style([
      {
        selector: "node",
        style: {
          label: "data(text)",
          "font-family": FONT,
          "font-size": 12,
          "text-valign": "center",
          "text-wrap": "wrap",
          "line-height": 1.15,
          "border-width": 1,
        },
      },
      { selector: ".table, .all, .block", style: { width: "data(w)", height: "data(h)", shape: "rectangle" } },
      ...boxes,
      { selector: ".Imported, .Computed", style: { shape: "round-rectangle" } },
      { selector: ".all", style: { "border-style": "double", "border-width": 4, "font-weight": 600 } },
      {
        selector: ".group",
        style: {
          "background-color": palette.group,
          "border-color": palette.border,
          color: palette.soft,
          shape: "round-rectangle",
          padding: 12,
          "text-valign": "top",
          "text-margin-y": 15,
          "font-weight": 600,
        },
      },
      {
        selector: "edge",
        style: { ...line, width: 1.3, "target-arrow-shape": "triangle", "arrow-scale": 0.75 },
      },
      { selector: "edge.dashed", style: { "line-style": "dashed", "line-dash-pattern": [5, 3] } },
      { selector: "edge.thick", style: { width: 2.8 } },
      { selector: "edge.renamed", style: renamed },
      { selector: ".faded", style: { opacity: 0.22 } },
      { selector: ".found", style: { "border-width": 3, "border-color": palette.renamed } },
      { selector: ".chosen", style: { "border-width": 3 } },
    ]);
    for (const [swatch, kind] of this.swatches) {
      const ink = palette.boxes[kind];
      if (ink) Object.assign(swatch.style, { background: ink.fill, borderColor: ink.stroke });
      else swatch.style.borderColor = kind === "renamed" ? palette.renamed : palette.line;
    }
    this.el.style.setProperty("--dj-soft", palette.soft);
    this.count();
  }

  count() {
    const badges = this.model.get("badges");
    this.cy.batch(() => {
      for (const [id, badge] of Object.entries(badges)) {
        const node = this.cy.getElementById(id);
        const table = this.tables.get(id);
        if (!node.length || !table) continue;
        node.data("text", `${table.label}\n${badge.text}`);
        const ink = this.palette.boxes[table.kind];
        const part = badge.part;
        if (part === null || part === undefined) continue;
        const full = mixed(ink.fill, ink.stroke, 0.32);
        const at = `${Math.round(part * 1000) / 10}%`;
        node.style({
          "background-fill": "linear-gradient",
          "background-gradient-direction": "to-right",
          "background-gradient-stop-colors": `${full} ${full} ${ink.fill} ${ink.fill}`,
          "background-gradient-stop-positions": `0% ${at} ${at} 100%`,
        });
      }
    });
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
