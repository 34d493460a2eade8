// The colours of a live diagram, by the theme of the page, and the numbers on its tables.

const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";

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

class Colours extends Places {
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
          padding: 17,
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
}
