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
function highlight(text, offset) {
  const start = toUnits(text, offset.start), end = start + toUnits(text.slice(start), offset.end - offset.start);
  return [text.slice(0, start), element("mark", {}, text.slice(start, end)), text.slice(end)];
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
  const result = await response.json(), count = result.answers.length;
  $("state").textContent = result.has_answer
    ? `${count} answer${count === 1 ? "" : "s"} in ${Math.round(result.timings_ms.total)} ms`
    : "The documents do not say.";
  $("answers").append(...result.answers.map(answer => card(result, answer)));
  if (result.best_guess) {
    $("answers").append(element("details", {}, element("summary", {}, "Show the best guess"), card(result, result.best_guess)));
  }
}

function card(result, answer) {
  const confidence = element("small", {}, `${Math.round(answer.confidence * 100)} % sure`);
  const source = [answer.title || answer.document_id, answer.page && `page ${answer.page}`, answer.section].filter(Boolean).join(", ");
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
  const tools = element("div", { className: "tools" },
    button("Show in the document", () => showErrors("state", () => openDocument(result.index, answer.document_id, answer.title, answer.document_offset, result.question))),
    right, wrong, status);
  return element("article", {},
    element("h3", {}, element("span", {}, answer.answer), confidence),
    element("p", {}, ...highlight(answer.context, answer.context_offset)),
    element("p", { className: "quiet" }, `${source}, characters ${answer.document_offset.start} to ${answer.document_offset.end}`),
    tools);
}

function feedback(index, question, document_id, verdict, document_offset, query_id) {
  return call("POST", withIndex(index, "feedback"), { question, document_id, verdict, document_offset, query_id });
}

// The open document, or null.
let shown = null;

async function openDocument(index, id, title, offset, question) {
  const response = await ifLatest("document", call("GET", withIndex(index, `documents/${encodeURIComponent(id)}/text`)));
  if (!response) return;
  // A byte order mark counts as a character, so it must be kept.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
  shown = { index, id, text };
  $("document-title").textContent = title || id;
  $("text").replaceChildren(...(offset ? highlight(text, offset) : [text]));
  $("labelled").value = question || "";
  $("label-state").textContent = "Select the text that answers the question.";
  $("document").hidden = false;
  document.querySelector("main").classList.add("reading");
  const mark = $("text").querySelector("mark");
  if (mark) mark.scrollIntoView({ block: "center" });
  else $("text").scrollTop = 0;
  $("text").focus({ preventScroll: true });
}
function closeDocument() {
  shown = null;
  $("document").hidden = true;
  document.querySelector("main").classList.remove("reading");
  $("question").focus();
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
  if (offset) $("text").replaceChildren(...highlight(target.text, offset));
  $("label-state").textContent = offset ? `Saved: “${$("text").querySelector("mark").textContent}”.` : "Saved: the document has no answer.";
}

// The cursor of the next page of documents; null on the last page.
let next = null;

async function list(cursor) {
  const query = cursor ? `documents?limit=50&cursor=${encodeURIComponent(cursor)}` : "documents?limit=50";
  const index = $("index").value;
  const response = await ifLatest("documents", call("GET", withIndex(index, query)));
  if (!response) return;
  const page = await response.json();
  if (!cursor) $("documents").replaceChildren();
  $("documents").append(...page.documents.map(info => row(index, info)));
  next = page.next;
  $("more").hidden = !next;
}
function row(index, info) {
  const name = button(info.title || info.id, () => showErrors("uploaded", () => openDocument(index, info.id, info.title, null, $("question").value)));
  name.className = "name";
  const remove = button("Delete", () => showErrors("uploaded", async () => {
    if (!confirm(`Delete “${info.title || info.id}”?`)) return;
    await call("DELETE", withIndex(index, `documents/${encodeURIComponent(info.id)}`));
    item.remove();
    if (shown && shown.index === index && shown.id === info.id) closeDocument();
  }));
  remove.setAttribute("aria-label", `Delete ${info.title || info.id}`);
  const item = element("li", {}, name, element("span", { className: "quiet" }, `${info.characters.toLocaleString()} characters`), remove);
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
  try {
    let result = await upload(files);
    // A job adds large files.
    while (result.state === "running") {
      await new Promise(done => setTimeout(done, 500));
      result = await (await call("GET", `jobs/${result.id}`)).json();
    }
    if (result.state && result.state !== "done") throw new Error(result.error || result.state);
    const outcome = file => file.error || `${file.file}: ${file.documents.length === 1 ? file.documents[0].status : `${file.documents.length} documents`}`;
    $("uploaded").textContent = result.files.map(outcome).join("; ");
    await list();
  } finally {
    $("progress").hidden = true;
    $("files").value = "";
  }
}

async function exportLabels() {
  const labels = await (await call("GET", withIndex($("index").value, "feedback/export"))).json();
  const address = URL.createObjectURL(new Blob([JSON.stringify(labels, null, 1)], { type: "application/json" }));
  element("a", { href: address, download: `${$("index").value}-labels.json` }).click();
  URL.revokeObjectURL(address);
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
