// The panel of a populate. All texts come ready from the kernel and are set as text, never as markup.

const HEADS = ["table", "progress", "done", "errors", "remaining", "rate", "time left", "in work"];
const CELLS = HEADS.slice(2);

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function button(className, text, title, act) {
  const element = make("button", `dj-button ${className}`, text);
  element.type = "button";
  element.title = title;
  element.addEventListener("click", act);
  return element;
}

// What is left to do once the work has ended, in the words of the button; nothing for nothing.
function retryLabel(model) {
  const panel = model.get("panel");
  if (panel.running || !model.get("retries")) return "";
  if (panel.phase === "done") return panel.errors ? "Retry errors" : "";
  return panel.errors ? "Retry errors and continue" : "Continue";
}

function retryButton(model) {
  const element = button("dj-retry", retryLabel(model), "Make what is missing in the background", () => {
    element.disabled = true;
    model.send({ do: "retry" });
  });
  return element;
}

function kernelOf(model) {
  const kernel = model.widget_manager?.kernel;
  return typeof kernel?.interrupt === "function" ? kernel : null;
}

// While a cell runs, many kernels hear of a click only when it has ended. They hear the interrupt, which then means the
// same where the cell waits for another thread, and the usual where it works itself.
function stopButton(model) {
  const isWork = model.get("form") === "blocking";
  const title = isWork
    ? "Interrupts the kernel: the key in work is undone"
    : "Ends the key in work and leaves the rest for later";
  const element = button("dj-stop", isWork ? "Interrupt" : "Stop", title, () => {
    element.disabled = true;
    if (!isWork) model.send({ do: "stop" });
    if (isWork || model.get("form") === "waiting") kernelOf(model)?.interrupt();
  });
  element.hidden = isWork && !kernelOf(model);
  return element;
}

function bar() {
  const element = make("span", "dj-bar");
  element.setAttribute("role", "progressbar");
  element.setAttribute("aria-valuemin", "0");
  element.append(make("span", "dj-done"), make("span", "dj-errors"));
  return element;
}

function tableRow() {
  const row = make("tr");
  const head = make("th");
  head.scope = "row";
  head.append(make("span", "dj-name"));
  const place = make("td");
  place.append(bar());
  row.append(head, place);
  for (const cell of CELLS) {
    const names = { errors: "dj-number dj-failed", "in work": "dj-mono" };
    row.append(make("td", names[cell] ?? "dj-number"));
  }
  return row;
}

function drawRow(row, shown) {
  const [head, place, ...cells] = row.children;
  head.className = shown.tier;
  write(head.firstChild, shown.name);
  const element = place.firstChild;
  element.setAttribute("aria-label", shown.name);
  element.setAttribute("aria-valuemax", shown.total);
  element.setAttribute("aria-valuenow", shown.made);
  element.children[0].style.width = `${shown.done_share}%`;
  element.children[1].style.width = `${shown.errors_share}%`;
  cells.forEach((cell, number) => write(cell, shown[CELLS[number]]));
}

function failure(shown) {
  const element = make("details", "dj-failure");
  const head = make("summary");
  head.append(
    make("strong", "", shown.table), " ",
    make("span", "dj-mono", shown.key), " ",
    make("span", "dj-failed", shown.error),
  );
  element.append(head);
  if (shown.traceback) {
    const stack = make("pre", "", shown.traceback);
    stack.tabIndex = 0;
    element.append(stack);
  }
  return element;
}

function tableOf(body) {
  const table = make("table", "dj-table dj-listing dj-bars");
  const heads = make("tr");
  for (const name of HEADS) {
    const head = make("th", CELLS.slice(0, 5).includes(name) ? "dj-number" : "", name);
    head.scope = "col";
    heads.append(head);
  }
  const top = make("thead");
  top.append(heads);
  table.append(top, body);
  const place = make("div", "dj-scroll");
  place.tabIndex = 0;
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", "progress");
  place.append(table);
  return place;
}

function drawButtons(buttons, model) {
  const panel = model.get("panel");
  const label = panel.running ? "stop" : retryLabel(model);
  if (buttons.dataset.shown !== label) {
    buttons.dataset.shown = label;
    buttons.replaceChildren();
    if (panel.running) buttons.append(stopButton(model));
    else if (label) buttons.append(retryButton(model));
  }
  if (panel.phase === "stopping" && buttons.firstChild) {
    buttons.firstChild.disabled = true;
    write(buttons.firstChild, "Stopping…");
  }
}

function render({ model, el }) {
  const phase = make("strong", "dj-phase");
  phase.setAttribute("aria-live", "polite");
  const note = make("span", "dj-muted");
  const buttons = make("span", "dj-buttons");
  const caption = make("div", "dj-caption");
  caption.append(phase, note, buttons);
  const trouble = make("div", "dj-trouble");
  const body = make("tbody");
  const failures = make("details", "dj-failures");
  const failed = make("span", "dj-failed");
  const summary = make("summary");
  summary.append(failed);
  failures.append(summary);
  const root = make("div", "dj-progress");
  root.append(caption, trouble, tableOf(body), failures);
  const out = make("div", "dj-out");
  out.append(root);
  el.append(out);

  function draw() {
    const panel = model.get("panel");
    root.className = `dj-progress dj-phase-${panel.look}`;
    write(phase, panel.title);
    write(note, panel.note);
    write(trouble, panel.trouble);
    trouble.hidden = !panel.trouble;
    while (body.children.length < panel.tables.length) body.append(tableRow());
    panel.tables.forEach((shown, number) => drawRow(body.children[number], shown));
    write(failed, panel.failures);
    failures.hidden = !panel.failures;
    drawButtons(buttons, model);
  }

  function drawFailures() {
    const shown = model.get("failures");
    // Errors are added at the end; fewer are those of another attempt.
    while (failures.children.length - 1 > shown.length) failures.lastChild.remove();
    if (!shown.length) failures.open = false;
    for (const each of shown.slice(failures.children.length - 1)) failures.append(failure(each));
  }

  draw();
  drawFailures();
  model.on("change:panel", draw);
  model.on("change:failures", drawFailures);
  return () => {
    model.off("change:panel", draw);
    model.off("change:failures", drawFailures);
  };
}

// When the work has ended, the output is HTML without a widget. There the button is put in again, wherever the page
// draws that HTML.
function initialize({ model }) {
  let asked = 0;
  function attach() {
    asked = 0;
    const label = retryLabel(model);
    if (!label) return;
    for (const place of document.getElementsByClassName(model.get("mark"))) {
      if (!place.firstChild) place.append(retryButton(model));
    }
  }
  const observer = new MutationObserver(() => {
    asked ||= requestAnimationFrame(attach);
  });
  function follow() {
    observer.disconnect();
    if (!retryLabel(model)) return;
    observer.observe(document.body, { childList: true, subtree: true });
    attach();
  }
  model.on("change:panel", follow);
  follow();
  return () => {
    observer.disconnect();
    model.off("change:panel", follow);
  };
}

export default { initialize, render };
