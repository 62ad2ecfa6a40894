'use strict';
// Takes pictures of pages. Reads a list from standard input, as JSON:
//   [{"url", "file", "width", "height", "scale", "locale", "dark", "script", "whole", "wait", "patience", "settle"}]
// script: false turns JavaScript off; whole: the page to its end; wait: a CSS
// selector that has to be there first; patience: for how many milliseconds;
// settle: for how many more, in a window as high as the page. Prints what the pages
// complained of, and ends with 1 if they did.

const { launch, readList } = require('./browser');

async function main() {
  const list = await readList();
  const browser = await launch();
  let complaints = 0;
  for (const shot of list) {
    const context = await browser.newContext({
      viewport: { width: shot.width, height: shot.height },
      deviceScaleFactor: shot.scale || 1,
      locale: shot.locale || 'en-US',
      colorScheme: shot.dark ? 'dark' : 'light',
      javaScriptEnabled: shot.script !== false,
      isMobile: shot.width < 500,
      hasTouch: shot.width < 500,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(shot.patience || 30000);
    const complain = (what) => {
      complaints++;
      console.log(`${shot.file}: ${what}`);
    };
    page.on('pageerror', (err) => complain(err.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complain(message.text());
    });
    const answer = await page.goto(shot.url);
    if (!answer.ok()) complain(`${shot.url} answers ${answer.status()}`);
    if (shot.wait) await page.waitForSelector(shot.wait, { timeout: shot.patience || 20000 });
    if (shot.settle) { // what is below the window is drawn only when it is in it
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: shot.width, height });
      await page.waitForTimeout(shot.settle);
    }
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wider > 0) complain(`the page is ${wider} pixels wider than its window`);
    await page.screenshot({ path: shot.file, fullPage: Boolean(shot.whole) });
    await context.close();
  }
  await browser.close();
  process.exitCode = complaints ? 1 : 0;
}

main().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
