// What is on the canvas of a live diagram, and where. Tables stand within their schema where the kernel has placed
// them, as in the picture; dagre places the schemas, so that they open and close without the kernel.

const TALLEST = 620;
const LEAST_ZOOM = 0.4;

class Places {
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
}
