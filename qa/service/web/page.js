"use strict";

const $ = id => document.getElementById(id);

// Offsets count code points; indices of a string count UTF-16 units.
function toUnits(text, points) {
  let unit = 0;
  while (points-- > 0) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  return unit;
}
function toPoints(text, units) {
  let points = 0;
  for (let unit = 0; unit < units; unit += text.codePointAt(unit) > 0xffff ? 2 : 1) points++;
  return points;
}
// Return the parts of a text: what is at the offset as a mark, further evidence as marks of another shade.
function highlight(text, offset, evidence = []) {
  const spans = [offset, ...evidence], parts = [];
  const ends = [...new Set(spans.flatMap(span => [span.start, span.end]))].sort((a, b) => a - b);
  let point = 0, unit = 0;
  for (const end of ends) {
    const part = text.slice(unit, unit + toUnits(text.slice(unit), end - point));
    const covering = spans.filter(span => span.start <= point && point < span.end);
    if (part) parts.push(covering.length ? element("mark", { className: covering.includes(offset) ? "" : "evidence" }, part) : part);
    point = end;
    unit += part.length;
  }
  return [...parts, text.slice(unit)];
}

// Children that are strings become text nodes, so text of documents is never parsed as HTML.
function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}
function button(text, action) {
  return element("button", { type: "button", onclick: action }, text);
}

function keyHeader() {
  const key = sessionStorage.getItem("key");
  return key ? { "X-API-Key": key } : {};
}
// Ask the user for an API key; return null if the user cancels.
function askForKey() {
  const key = prompt("This server requires an API key:");
  if (key) sessionStorage.setItem("key", key);
  return key;
}
// Send a request; throw an error with the detail of an error response.
async function call(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch("v1/" + path, { method, headers: { ...headers, ...keyHeader() }, body: body && JSON.stringify(body) });
  } catch (error) {
    throw new Error("The server did not respond.");
  }
  if (response.status === 401 && askForKey()) return call(method, path, body);
  if (!response.ok) throw new Error((await response.json()).detail);
  return response;
}
function withIndex(index, path) {
  return `${path}${path.includes("?") ? "&" : "?"}index=${encodeURIComponent(index)}`;
}
// The latest request of each part of the page. A response is dropped if a newer request was sent in the meantime.
const latest = {};
async function ifLatest(part, promise) {
  const request = latest[part] = {};
  const response = await promise;
  return latest[part] === request ? response : null;
}
// Run an action; show its error in the element with this id.
async function showErrors(id, action) {
  try {
    await action();
  } catch (error) {
    $(id).textContent = error.message;
  }
}

// Parse "source=manual, year=2024": numbers and booleans keep their type, everything else is text.
function parseFilters() {
  const filters = {};
  for (const part of $("filters").value.split(",").map(part => part.trim()).filter(Boolean)) {
    const [name, ...rest] = part.split("="), value = rest.join("=").trim();
    if (!rest.length || !name.trim()) throw new Error(`“${part}” is not a filter; write name=value.`);
    filters[name.trim()] = /^(-?(0|[1-9]\d{0,14})(\.\d+)?|true|false)$/.test(value) ? JSON.parse(value) : value;
  }
  return filters;
}

async function ask() {
  $("answers").replaceChildren();
  $("state").textContent = "Reading …";
  const question = $("question").value, index = $("index").value;
  const response = await ifLatest("ask", call("POST", "query", { question, index, filters: parseFilters() }));
  if (!response) return;
  const result = await response.json(), { status, best_guess: guess } = result;
  const guesses = guess ? [card(result, guess, status === "unsure")] : [];
  const alternatives = result.alternatives.map(answer => card(result, answer));
  const passages = (result.passages || []).map(passage => quotation(result, passage, passage.document_offset, [passage.title || passage.document_id]));
  const evidence = result.evidence.map(unit => quotation(result, unit, unit, [unit.document_id, unit.page && `page ${unit.page}`, unit.section, `${Math.round(unit.score * 100)} % sure`]));
  $("state").textContent = describeStatus(result);
  if (result.corrected !== null) $("answers").append(element("p", { className: "quiet" }, `Searched for: ${result.corrected}`));
  $("answers").append(
    ...result.answers.map(answer => card(result, answer)),
    ...(status === "unsure" ? guesses : fold("Show the best guess", guesses)),
    ...fold("Other possible answers", alternatives),
    ...titled("Evidence", evidence),
    ...(status === "not_found" ? titled : fold)("Passages to look at", passages));
}
function describeStatus({ status, answers, timings_ms }) {
  return {
    answered: `${answers.length} answer${answers.length === 1 ? "" : "s"} in ${Math.round(timings_ms.total)} ms`,
    unsure: "Unsure: the best guess may be wrong.",
    not_found: "Not found: the documents probably do not say.",
    nothing_to_search: "Nothing to search: the index is empty, or no document meets the filters.",
  }[status];
}
// Each returns a list of nodes, which is empty without parts.
function titled(title, parts) {
  return parts.length ? [element("h3", {}, title), ...parts] : [];
}
function fold(title, parts) {
  return parts.length ? [element("details", {}, element("summary", {}, title), ...parts)] : [];
}

// Return a button that opens a document with what is at the offset, and the result's evidence, highlighted.
function showButton(result, id, offset, { text = "Show in the document", number = null, page = false } = {}) {
  const evidence = result.evidence.filter(unit => unit.document_id === id);
  return button(text, () => showErrors("state", () => openDocument(result.index, id, { offset, evidence, question: result.question, number, page })));
}
// Return a passage or a unit of evidence, with its place.
function quotation(result, { document_id, text }, offset, source) {
  const place = [...source, `characters ${offset.start} to ${offset.end}`].filter(Boolean).join(", ");
  return element("article", { className: "quotation" },
    element("p", {}, text), element("p", { className: "quiet" }, place),
    element("div", { className: "tools" }, showButton(result, document_id, offset)));
}
function card(result, answer, guessed = false) {
  const confidence = element("small", {}, `${guessed ? "guess, " : ""}${Math.round(answer.confidence * 100)} % sure`);
  const source = [answer.title || answer.document_id, answer.page && `page ${answer.page}`, answer.section, answer.cell && `cell ${answer.cell}`].filter(Boolean).join(", ");
  const status = element("span", { className: "quiet", role: "status" });
  const send = async (verdict, pressed) => {
    try {
      await feedback(result.index, result.question, answer.document_id, verdict, answer.document_offset, result.query_id);
      for (const choice of [right, wrong]) choice.setAttribute("aria-pressed", choice === pressed);
      status.textContent = "Thank you.";
    } catch (error) {
      status.textContent = error.message;
    }
  };
  const right = button("Right", () => send("right", right)), wrong = button("Wrong", () => send("wrong", wrong));
  for (const choice of [right, wrong]) choice.setAttribute("aria-pressed", "false");
  const { document_id: id, document_offset: offset, page } = answer;
  const tools = element("div", { className: "tools" },
    showButton(result, id, offset, { number: page }),
    ...(answer.rectangles.length ? [showButton(result, id, offset, { text: `Show on page ${page}`, number: page, page: true })] : []),
    right, wrong, status);
  const badge = element("span", { className: "badge", title: "This text was recognised in a picture, so letters may be wrong." }, "recognised text (OCR)");
  return element("article", { className: guessed ? "guess" : "" },
    element("h3", {}, element("span", {}, answer.answer), confidence),
    ...(answer.items.length ? [element("ul", {}, ...answer.items.map(item => element("li", {}, item.text)))] : []),
    element("p", {}, ...highlight(answer.context, answer.context_offset)),
    element("p", { className: "quiet" }, `${source}, characters ${answer.document_offset.start} to ${answer.document_offset.end} `, ...(answer.ocr ? [badge] : [])),
    tools);
}

function feedback(index, question, document_id, verdict, document_offset, query_id) {
  return call("POST", withIndex(index, "feedback"), { question, document_id, verdict, document_offset, query_id });
}

// The open document, or null.
let shown = null;

function documentPath(index, id, rest = "") {
  return withIndex(index, `documents/${encodeURIComponent(id)}${rest}`);
}
// Open a document: its text, or with `page` the picture of the page with this number; highlight what is at the offset.
async function openDocument(index, id, { offset = null, evidence = [], question = "", number = null, page = false } = {}) {
  const response = await ifLatest("document", call("GET", documentPath(index, id)));
  if (!response) return;
  const { text, title, file, unread } = await response.json();
  shown = { index, id, text, offset, file, name: title || id };
  $("document-title").textContent = shown.name;
  setText(offset ? highlight(text, offset, evidence) : [text]);
  $("labelled").value = question;
  $("label-state").textContent = "Select the text that answers the question.";
  $("document-state").textContent = "";
  $("original").hidden = !file;
  $("original").textContent = file ? `Original file (${file.name}, ${size(file.size)})` : "";
  $("show-page").hidden = !(file && /^(application\/pdf|image\/.*)$/.test(file.media_type));
  $("page-number").value = number || 1;
  $("gaps").hidden = !unread.length;
  $("gaps").open = false;
  $("gaps").querySelector("summary").textContent = `${unread.length} part${unread.length === 1 ? "" : "s"} of the file not read`;
  $("gaps").querySelector("ul").replaceChildren(...describeUnread(unread).map(line => element("li", {}, line)));
  $("document").hidden = false;
  document.querySelector("main").classList.add("reading");
  if (page && !$("show-page").hidden) await showPage();
  else showText();
}
// The highlights of the open document in its order, each a list of marks, and the position of the current one.
// Marks without text between them are one highlight, as an answer inside a sentence of evidence is.
let stops = [], current = 0;

function setText(parts) {
  $("text").replaceChildren(...parts);
  stops = [];
  for (const mark of $("text").querySelectorAll("mark")) {
    if (mark.previousSibling?.nodeName === "MARK") stops.at(-1).push(mark);
    else stops.push([mark]);
  }
  $("marks").hidden = stops.length < 2;
  selectStop(Math.max(0, stops.findIndex(marks => marks.some(mark => !mark.classList.contains("evidence")))));
}
// Make a highlight the current one; screen readers announce the counter with its text.
function selectStop(position) {
  if (stops.length < 2) return;
  current = (position + stops.length) % stops.length;
  stops.forEach((marks, at) => marks.forEach(mark => mark.classList.toggle("current", at === current)));
  const text = stops[current].map(mark => mark.textContent).join("");
  $("mark-count").replaceChildren(`${current + 1} of ${stops.length}`, element("span", { className: "visually-hidden" }, `: ${text}`));
}
function step(highlights) {
  selectStop(current + highlights);
  stops[current][0].scrollIntoView({ block: "center" });
}
function showView(page) {
  $("page").hidden = !page;
  $("text").hidden = $("label").hidden = page;
  $("marks").hidden = page || stops.length < 2;
  $("show-page").setAttribute("aria-pressed", page);
  $("show-text").setAttribute("aria-pressed", !page);
}
function showText() {
  showView(false);
  const mark = $("text").querySelector("mark:not(.evidence)");
  if (mark) mark.scrollIntoView({ block: "center" });
  else $("text").scrollTop = 0;
  $("text").focus({ preventScroll: true });
}
// Fetched by script, because an address in the document cannot carry the API key.
async function showPage() {
  if (!$("page-number").reportValidity()) return;
  const target = shown, number = $("page-number").valueAsNumber, { offset } = target;
  const mark = offset ? `?highlight=${offset.start}-${offset.end}` : "";
  $("document-state").textContent = "Loading …";
  showView(true);
  try {
    const response = await ifLatest("page", call("GET", documentPath(target.index, target.id, `/pages/${number}.png${mark}`)));
    if (!response) return;
    const picture = await response.blob();
    if (shown !== target) return;
    await setPicture(picture, `Page ${number} of ${target.name}${offset ? ", with the answer highlighted where it is on this page" : ""}`);
    $("document-state").textContent = "";
    $("sheet").focus({ preventScroll: true });
    $("sheet").scrollIntoView({ block: "nearest" });
    $("sheet").scrollTop = offset ? findHighlight($("picture")) * $("picture").height - $("sheet").clientHeight / 3 : 0;
  } catch (error) {
    setPicture(null, "");
    throw error;
  }
}
async function setPicture(blob, description) {
  URL.revokeObjectURL($("picture").src);
  $("picture").alt = description;
  if (!blob) return $("picture").removeAttribute("src");
  $("picture").src = URL.createObjectURL(blob);
  await $("picture").decode();
}
// Return how far down a picture the colour of the marker begins, from 0 to 1; the picture's size in points is not known.
function findHighlight(picture) {
  const canvas = element("canvas", { width: 200, height: 400 }), context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] > 200 && data[at + 1] > 170 && data[at + 2] < 150) return at / data.length;
  }
  return 0;
}
function turnPage(pages) {
  $("page-number").valueAsNumber = Math.max(1, ($("page-number").valueAsNumber || 1) + pages);
  return showPage();
}
async function saveOriginal() {
  const { file, index, id } = shown;
  save(await (await call("GET", documentPath(index, id, "/file"))).blob(), file.name);
}
function closeDocument() {
  shown = null;
  setPicture(null, "");
  $("document").hidden = true;
  document.querySelector("main").classList.remove("reading");
  $("question").focus();
}
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
// Return a line about the pages of an uploaded file that were recognised, and those of describeUnread.
function describeReading(file) {
  const pages = [...new Set(file.documents.flatMap(added => added.ocr_pages))].sort((a, b) => a - b);
  return [...(pages.length ? [`${namePages(pages)} recognised in pictures (OCR)`] : []), ...describeUnread(file.unread)];
}
// Return a line for each reason, with its pages: "pages 4, 7-9 not read: a picture of text".
function describeUnread(unread) {
  return [...new Set(unread.map(part => part.reason))].flatMap(reason => {
    const pages = unread.filter(part => part.reason === reason).map(part => part.page);
    const numbers = [...new Set(pages.filter(page => page !== null))].sort((a, b) => a - b);
    const elsewhere = pages.filter(page => page === null).length;
    return [
      ...(numbers.length ? [`${namePages(numbers)} not read: ${reason}`] : []),
      ...(elsewhere ? [`${elsewhere === 1 ? "not read" : `${elsewhere} parts not read`}: ${reason}`] : []),
    ];
  });
}
function namePages(numbers) {
  const runs = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run.at(-1) === number - 1) run.push(number);
    else runs.push([number]);
  }
  const parts = runs.map(run => run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(", "));
  return `page${numbers.length === 1 ? "" : "s"} ${parts.join(", ")}`;
}

// Return the offsets of the selected text, extended to whole words; null if nothing in the document is selected.
function selectedOffset() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!$("text").contains(range.commonAncestorContainer)) return null;
  const before = document.createRange();
  before.setStart($("text"), 0);
  before.setEnd(range.startContainer, range.startOffset);
  const text = shown.text, word = /[\p{L}\p{N}]/u;
  let start = before.toString().length, end = start + range.toString().length;
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  if (start === end) return null;
  while (start > 0 && word.test(text[start]) && word.test(text[start - 1])) start--;
  while (end < text.length && word.test(text[end - 1]) && word.test(text[end])) end++;
  const first = toPoints(text, start);
  return { start: first, end: first + toPoints(text.slice(start), end - start) };
}

async function label(verdict) {
  if (!$("labelled").reportValidity()) return;
  const target = shown, offset = verdict === "unanswerable" ? null : selectedOffset();
  if (verdict === "corrected" && !offset) throw new Error("Select the answer in the text first.");
  await feedback(target.index, $("labelled").value, target.id, verdict, offset, null);
  if (shown !== target) return;
  if (offset) setText(highlight(target.text, offset));
  $("label-state").textContent = offset ? `Saved: “${$("text").querySelector("mark:not(.evidence)").textContent}”.` : "Saved: the document has no answer.";
}

// The cursor of the next page of documents; null on the last page.
let next = null;

async function list(cursor) {
  const query = new URLSearchParams({ limit: 50, ...(cursor && { cursor }), ...($("find").value && { q: $("find").value }) });
  const index = $("index").value;
  const response = await ifLatest("documents", call("GET", withIndex(index, `documents?${query}`)));
  if (!response) return;
  const page = await response.json();
  if (!cursor) $("documents").replaceChildren();
  $("documents").append(...page.documents.map(info => row(index, info)));
  next = page.next;
  $("more").hidden = !next;
}
function row(index, info) {
  const name = button(info.title || info.id, () => showErrors("uploaded", () => openDocument(index, info.id, { question: $("question").value })));
  name.className = "name";
  const remove = button("Delete", () => showErrors("uploaded", async () => {
    if (!confirm(`Delete “${info.title || info.id}”?`)) return;
    await call("DELETE", documentPath(index, info.id));
    item.remove();
    if (shown && shown.index === index && shown.id === info.id) closeDocument();
  }));
  remove.setAttribute("aria-label", `Delete ${info.title || info.id}`);
  const gaps = info.unread.length ? `, ${info.unread.length} part${info.unread.length === 1 ? "" : "s"} not read` : "";
  const item = element("li", {}, name, element("span", { className: "quiet" }, `${info.characters.toLocaleString()} characters${gaps}`), remove);
  return item;
}

// XMLHttpRequest, because fetch does not report the progress of an upload.
function upload(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "v1/" + withIndex($("index").value, "documents/upload"));
    for (const [name, value] of Object.entries(keyHeader())) request.setRequestHeader(name, value);
    request.upload.onprogress = event => { $("progress").value = event.loaded / event.total; };
    request.upload.onload = () => { $("progress").removeAttribute("value"); };
    request.onerror = () => reject(new Error("The server did not respond."));
    request.onload = () => {
      if (request.status === 401 && askForKey()) return resolve(upload(files));
      const result = JSON.parse(request.responseText);
      return request.status < 400 ? resolve(result) : reject(new Error(result.detail));
    };
    request.send(form);
  });
}
async function add(files) {
  if (!files.length) return;
  $("progress").value = 0;
  $("progress").hidden = false;
  $("uploaded").textContent = "Adding …";
  $("not-read").replaceChildren();
  try {
    let result = await upload(files);
    // A job adds large files.
    while (result.state === "running") {
      await new Promise(done => setTimeout(done, 500));
      result = await (await call("GET", `jobs/${result.id}`)).json();
      $("uploaded").textContent = result.page ? `Adding … page ${result.page} of ${result.pages}` : "Adding …";
    }
    if (result.state && result.state !== "done") throw new Error(result.error || result.state);
    const outcome = file => file.error || `${file.file}: ${file.documents.length === 1 ? file.documents[0].status : `${file.documents.length} documents`}`;
    $("uploaded").textContent = result.files.map(outcome).join("; ");
    const lines = result.files.flatMap(file => describeReading(file).map(line => `${file.file}: ${line}`));
    $("not-read").replaceChildren(...lines.map(line => element("li", {}, line)));
    await list();
  } finally {
    $("progress").hidden = true;
    $("files").value = "";
  }
}

async function exportLabels() {
  const labels = await (await call("GET", withIndex($("index").value, "feedback/export"))).json();
  save(new Blob([JSON.stringify(labels, null, 1)], { type: "application/json" }), `${$("index").value}-labels.json`);
}

async function start() {
  const { indexes } = await (await call("GET", "indexes")).json();
  $("index").replaceChildren(...indexes.map(index => element("option", { selected: index.name === "default" }, index.name)));
  await list();
}

$("ask").addEventListener("submit", event => { event.preventDefault(); showErrors("state", ask); });
$("label").addEventListener("submit", event => event.preventDefault());
$("is-answer").addEventListener("click", () => showErrors("label-state", () => label("corrected")));
$("no-answer").addEventListener("click", () => showErrors("label-state", () => label("unanswerable")));
$("show-text").addEventListener("click", showText);
$("show-page").addEventListener("click", () => showErrors("document-state", showPage));
$("page-number").addEventListener("change", () => showErrors("document-state", showPage));
$("previous-page").addEventListener("click", () => showErrors("document-state", () => turnPage(-1)));
$("next-page").addEventListener("click", () => showErrors("document-state", () => turnPage(1)));
$("previous-mark").addEventListener("click", () => step(-1));
$("next-mark").addEventListener("click", () => step(1));
$("document").addEventListener("keydown", event => {
  if (event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey || $("marks").hidden) return;
  if (event.key === "n") step(1);
  if (event.key === "p") step(-1);
});
$("original").addEventListener("click", () => showErrors("document-state", saveOriginal));
// Wait until typing pauses.
let finding = null;
$("find").addEventListener("input", () => { clearTimeout(finding); finding = setTimeout(() => showErrors("uploaded", () => list()), 200); });
$("close").addEventListener("click", closeDocument);
$("more").addEventListener("click", () => showErrors("uploaded", () => list(next)));
$("export").addEventListener("click", () => showErrors("uploaded", exportLabels));
$("files").addEventListener("change", () => showErrors("uploaded", () => add($("files").files)));
$("index").addEventListener("change", () => { latest.ask = null; $("answers").replaceChildren(); $("state").textContent = ""; closeDocument(); showErrors("uploaded", () => list()); });
$("filters").addEventListener("focus", () => { $("filters-help").hidden = false; });
document.addEventListener("keydown", event => { if (event.key === "Escape" && shown) closeDocument(); });
for (const kind of ["dragenter", "dragover"]) $("drop").addEventListener(kind, event => { event.preventDefault(); $("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) $("drop").addEventListener(kind, () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", event => { event.preventDefault(); showErrors("uploaded", () => add(event.dataTransfer.files)); });
showErrors("state", start);
