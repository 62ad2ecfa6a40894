'use strict';
// Follows links as a person does who was told of an alert. Reads a list from standard
// input, as JSON:
//   [{"question", "url", "clicks", "wait", "patience", "title", "chosen", "marks", "panels", "text"}]
// clicks: texts of links, one after the other; wait: a CSS selector that each page has
// when it is ready; title: of the page that it ends on; chosen: variables by their
// label; marks: kinds of marks that are there; panels: regular expressions of their
// texts, "" for any but that of an empty one; text: one of the page. Prints what the
// pages do not say, and ends with 1 if there is any.

const { launch, readList } = require('./browser');

async function follow(page, path) {
  const ready = () => (path.wait ? page.waitForSelector(path.wait, { timeout: path.patience || 60000 }) : null);
  const answer = await page.goto(path.url);
  if (!answer.ok()) throw new Error(`${path.url} answers ${answer.status()}`);
  await ready();
  for (const link of path.clicks || []) {
    const target = page.locator(`a:text-is(${JSON.stringify(link)})`).first();
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), target.click()]);
    await ready();
  }
}

const short = (text) => text.replace(/\s+/g, ' ').slice(0, 200);

async function lacks(page, path) {
  const found = [];
  const title = await page.locator('h1').first().innerText();
  if (path.title && title !== path.title) found.push(`is ${title}, not ${path.title}`);
  for (const [label, want] of Object.entries(path.chosen || {})) {
    const chosen = await page.locator(`label:has(span:text-is(${JSON.stringify(label)})) select option:checked`).innerText();
    if (chosen !== want) found.push(`${label} is ${chosen}, not ${want}`);
  }
  for (const kind of path.marks || []) {
    const n = Number(await page.locator(`[data-marks-of=${JSON.stringify(kind)}]`).getAttribute('data-marks'));
    if (!n) found.push(`no marks: ${kind}`);
  }
  for (const [name, want] of Object.entries(path.panels || {})) {
    const panel = page.locator(`[data-panel=${JSON.stringify(name)}]`);
    if (await panel.count() !== 1) {
      found.push(`no panel ${name}`);
      continue;
    }
    const text = await panel.innerText();
    if (await panel.getAttribute('data-empty') === 'yes' || !new RegExp(want, 's').test(text)) found.push(`${name} does not say ${want}: ${short(text)}`);
  }
  if (path.text && !new RegExp(path.text, 's').test(await page.locator('body').innerText())) found.push(`does not say ${path.text}`);
  return found;
}

async function main() {
  const list = await readList();
  const browser = await launch();
  let complaints = 0;
  for (const path of list) {
    const page = await browser.newPage({ viewport: { width: 1600, height: 3600 } }); // panels are drawn when they are in it
    let found;
    try {
      await follow(page, path);
      found = await lacks(page, path);
    } catch (err) {
      found = [err.message];
    }
    const way = ['link', ...(path.clicks || [])].join(' > ');
    console.log(`${found.length ? 'NO' : 'ok'}  ${path.question}  (${way}, ${(path.clicks || []).length} clicks)`);
    for (const what of found) {
      complaints++;
      console.log(`    ${what}`);
    }
    await page.close();
  }
  await browser.close();
  process.exitCode = complaints ? 1 : 0;
}

main().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
