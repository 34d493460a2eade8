/* Elements of the live table. Data enters the page as text, never as markup; cards of objects, which are markup of our
   own making, pass through a list of elements and attributes that do nothing. */

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
