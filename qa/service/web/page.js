"use strict";

const $ = id => document.getElementById(id);

// Offsets count code points; a string's own indices count UTF-16 units.
function unitsOf(text, points) {
  let unit = 0;
  while (points-- > 0) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  return unit;
}
function pointsOf(text, units) {
  let points = 0;
  for (let unit = 0; unit < units; unit += text.codePointAt(unit) > 0xffff ? 2 : 1) points++;
  return points;
}
function lit(text, offset) {
  const start = unitsOf(text, offset.start), end = start + unitsOf(text.slice(start), offset.end - offset.start);
  return [text.slice(0, start), element("mark", {}, text.slice(start, end)), text.slice(end)];
}

// Everything is put in as text: nothing that comes from a document is ever read as markup.
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
function button(text, action) {
  return element("button", { type: "button", onclick: action }, text);
}

function keyed() {
  const key = sessionStorage.getItem("key");
  return key ? { "X-API-Key": key } : {};
}
// Ask for a key where the server wants one; null if there is none.
function askForKey() {
  const key = prompt("This server asks for a key:");
  if (key) sessionStorage.setItem("key", key);
  return key;
}
// Send a request; an answer that tells of an error becomes an error with its words.
async function call(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch("v1/" + path, { method, headers: { ...headers, ...keyed() }, body: body && JSON.stringify(body) });
  } catch (error) {
    throw new Error("The server did not answer.");
  }
  if (response.status === 401 && askForKey()) return call(method, path, body);
  if (!response.ok) throw new Error((await response.json()).detail);
  return response;
}
function inIndex(index, path) {
  return `${path}${path.includes("?") ? "&" : "?"}index=${encodeURIComponent(index)}`;
}
// What is under way, by its place on the page: a reply that comes after a newer request is dropped.
const latest = {};
async function current(place, promise) {
  const turn = latest[place] = {};
  const result = await promise;
  return latest[place] === turn ? result : null;
}
async function telling(where, action) {
  try {
    await action();
  } catch (error) {
    $(where).textContent = error.message;
  }
}

// "source=manual, year=2024": numbers, true, false and null as such, everything else as text.
function filters() {
  const made = {};
  for (const part of $("filters").value.split(",").map(part => part.trim()).filter(Boolean)) {
    const [name, ...rest] = part.split("="), value = rest.join("=").trim();
    if (!rest.length || !name.trim()) throw new Error(`“${part}” is not name=value.`);
    made[name.trim()] = /^(-?(0|[1-9]\d{0,14})(\.\d+)?|true|false)$/.test(value) ? JSON.parse(value) : value;
  }
  return made;
}

async function ask() {
  $("answers").replaceChildren();
  $("state").textContent = "Reading …";
  const question = $("question").value, index = $("index").value;
  const response = await current("ask", call("POST", "query", { question, index, filters: filters() }));
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
  const sure = element("small", {}, `${Math.round(answer.confidence * 100)} % sure`);
  const place = [answer.title || answer.document_id, answer.page && `page ${answer.page}`, answer.section].filter(Boolean).join(", ");
  const told = element("span", { className: "quiet", role: "status" });
  const say = async (verdict, pressed) => {
    try {
      await feedback(result.index, result.question, answer.document_id, verdict, answer.document_offset, result.query_id);
      for (const one of tools.querySelectorAll("[aria-pressed]")) one.setAttribute("aria-pressed", one === pressed);
      told.textContent = "Thank you.";
    } catch (error) {
      told.textContent = error.message;
    }
  };
  const right = button("Right", () => say("right", right)), wrong = button("Wrong", () => say("wrong", wrong));
  for (const one of [right, wrong]) one.setAttribute("aria-pressed", "false");
  const tools = element("div", { className: "tools" },
    button("Show in the document", () => telling("state", () => openDocument(result.index, answer.document_id, answer.title, answer.document_offset, result.question))),
    right, wrong, told);
  return element("article", {},
    element("h3", {}, element("span", {}, answer.answer), sure),
    element("p", {}, ...lit(answer.context, answer.context_offset)),
    element("p", { className: "quiet" }, `${place}, characters ${answer.document_offset.start} to ${answer.document_offset.end}`),
    tools);
}

function feedback(index, question, document_id, verdict, document_offset, query_id) {
  return call("POST", inIndex(index, "feedback"), { question, document_id, verdict, document_offset, query_id });
}

let shown = null;

async function openDocument(index, id, title, offset, question) {
  const response = await current("document", call("GET", inIndex(index, `documents/${encodeURIComponent(id)}/text`)));
  if (!response) return;
  // A byte order mark counts as the character that it is.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
  shown = { index, id, text };
  $("document-title").textContent = title || id;
  $("text").replaceChildren(...(offset ? lit(text, offset) : [text]));
  $("labelled").value = question || "";
  $("label-state").textContent = "Select the words that answer the question.";
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

// The selected words as an offset in the document, widened to whole words; null without a selection in the text.
function selected() {
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
  const first = pointsOf(text, start);
  return { start: first, end: first + pointsOf(text.slice(start), end - start) };
}

async function label(verdict) {
  if (!$("labelled").reportValidity()) return;
  const about = shown, offset = verdict === "unanswerable" ? null : selected();
  if (verdict === "corrected" && !offset) throw new Error("Select the words in the text first.");
  await feedback(about.index, $("labelled").value, about.id, verdict, offset, null);
  if (shown !== about) return;
  if (offset) $("text").replaceChildren(...lit(about.text, offset));
  $("label-state").textContent = offset ? `Kept: “${$("text").querySelector("mark").textContent}”.` : "Kept: the document does not say.";
}

let next = null;

async function list(cursor) {
  const query = cursor ? `documents?limit=50&cursor=${encodeURIComponent(cursor)}` : "documents?limit=50";
  const index = $("index").value;
  const response = await current("documents", call("GET", inIndex(index, query)));
  if (!response) return;
  const page = await response.json();
  if (!cursor) $("documents").replaceChildren();
  $("documents").append(...page.documents.map(info => row(index, info)));
  next = page.next;
  $("more").hidden = !next;
}
function row(index, info) {
  const name = button(info.title || info.id, () => telling("uploaded", () => openDocument(index, info.id, info.title, null, $("question").value)));
  name.className = "name";
  const remove = button("Delete", () => telling("uploaded", async () => {
    if (!confirm(`Delete “${info.title || info.id}”?`)) return;
    await call("DELETE", inIndex(index, `documents/${encodeURIComponent(info.id)}`));
    made.remove();
    if (shown && shown.index === index && shown.id === info.id) closeDocument();
  }));
  remove.setAttribute("aria-label", `Delete ${info.title || info.id}`);
  const made = element("li", {}, name, element("span", { className: "quiet" }, `${info.characters.toLocaleString()} characters`), remove);
  return made;
}

// Not fetch: it does not tell how far an upload has come.
function upload(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "v1/" + inIndex($("index").value, "documents/upload"));
    for (const [name, value] of Object.entries(keyed())) request.setRequestHeader(name, value);
    request.upload.onprogress = event => { $("progress").value = event.loaded / event.total; };
    request.upload.onload = () => { $("progress").removeAttribute("value"); };
    request.onerror = () => reject(new Error("The server did not answer."));
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
    // Large ones are taken in by a job.
    while (result.state === "running") {
      await new Promise(done => setTimeout(done, 500));
      result = await (await call("GET", `jobs/${result.id}`)).json();
    }
    if (result.state && result.state !== "done") throw new Error(result.error || result.state);
    const told = file => file.error || `${file.file}: ${file.documents.length === 1 ? file.documents[0].status : `${file.documents.length} documents`}`;
    $("uploaded").textContent = result.files.map(told).join("; ");
    await list();
  } finally {
    $("progress").hidden = true;
    $("files").value = "";
  }
}

async function save() {
  const labels = await (await call("GET", inIndex($("index").value, "feedback/export"))).json();
  const address = URL.createObjectURL(new Blob([JSON.stringify(labels, null, 1)], { type: "application/json" }));
  element("a", { href: address, download: `${$("index").value}-labels.json` }).click();
  URL.revokeObjectURL(address);
}

async function begin() {
  const { indexes } = await (await call("GET", "indexes")).json();
  $("index").replaceChildren(...indexes.map(index => element("option", { selected: index.name === "default" }, index.name)));
  await list();
}

$("ask").addEventListener("submit", event => { event.preventDefault(); telling("state", ask); });
$("label").addEventListener("submit", event => event.preventDefault());
$("is-answer").addEventListener("click", () => telling("label-state", () => label("corrected")));
$("says-nothing").addEventListener("click", () => telling("label-state", () => label("unanswerable")));
$("close").addEventListener("click", closeDocument);
$("more").addEventListener("click", () => telling("uploaded", () => list(next)));
$("export").addEventListener("click", () => telling("uploaded", save));
$("files").addEventListener("change", () => telling("uploaded", () => add($("files").files)));
$("index").addEventListener("change", () => { latest.ask = null; $("answers").replaceChildren(); $("state").textContent = ""; closeDocument(); telling("uploaded", () => list()); });
$("filters").addEventListener("focus", () => { $("filters-told").hidden = false; });
document.addEventListener("keydown", event => { if (event.key === "Escape" && shown) closeDocument(); });
for (const kind of ["dragenter", "dragover"]) $("drop").addEventListener(kind, event => { event.preventDefault(); $("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) $("drop").addEventListener(kind, () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", event => { event.preventDefault(); telling("uploaded", () => add(event.dataTransfer.files)); });
telling("state", begin);
