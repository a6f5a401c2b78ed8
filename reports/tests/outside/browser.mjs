// Drives a suite's report in a headless browser: node browser.mjs MODULES CHROMIUM PROFILE FILE CASE SHOT
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
const [modules, executablePath, profile, file, id, shot] = process.argv.slice(2);
const { chromium } = createRequire(modules + '/')('playwright-core');
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const context = await chromium.launchPersistentContext(profile, { executablePath, args, viewport: { width: 1280, height: 800 }, permissions: [] });
const page = await context.newPage();
const errors = [], asked = [];
page.on('pageerror', error => errors.push(error.message));
page.on('request', request => asked.push(request.url()));
const figures = [];

// What an interaction costs: the longest time between two frames until it is drawn, and what painting took of it.
async function timed(name, act) {
  await page.evaluate(() => {
    window.frames_ = [];
    let last = performance.now(), left = 30;
    const tick = () => { const now = performance.now(); window.frames_.push(now - last); last = now; if (left--) requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
  });
  await act();
  await page.waitForFunction(() => window.frames_.length > 25);
  const [longest, paint] = await page.evaluate(() => [Math.max(...window.frames_), document.getElementById('stage').page?.timeline?.cost ?? 0]);
  figures.push(`${name}: longest frame ${longest.toFixed(0)} ms, paint ${paint.toFixed(1)} ms`);
}
const view = () => page.evaluate(() => [...document.getElementById('stage').page.timeline.view]);
const packets = () => page.evaluate(() => document.getElementById('stage').page.timeline.hits.filter(h => h.kind === 'packet').length);

await page.goto('file://' + file);
assert.match(await page.title(), /^Sleet: /);
const rows = page.locator('#scenarios tbody tr:visible');
const all = await rows.count();
await timed('search', () => page.locator('#scenarios input[type=search]').fill('naive'));
const found = await rows.count();
assert.ok(found > 0 && found < all, `search: ${found} of ${all}`);
await page.locator('#scenarios input[type=search]').fill('');
await page.keyboard.press('Escape');

await page.locator(`#failures a[href="#case/${id}"]`).click();
await page.locator('#stage canvas').waitFor();
assert.equal(await page.locator('#stage h1').textContent(), id);
const count = await page.evaluate(() => document.getElementById('stage').page.timeline.tracks.packets.length);
assert.ok(count >= 1000, `${count} packets`);
await page.getByRole('button', { name: 'Show everything' }).click();
await page.waitForTimeout(100);

const canvas = page.locator('#stage canvas'), box = await canvas.boundingBox();
const before = await view();
await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3);
await timed('zoom by wheel', async () => { for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -120); });
const zoomed = await view();
assert.ok(zoomed[1] - zoomed[0] < (before[1] - before[0]) * 0.6, 'the wheel zooms');
await timed('pan by drag', async () => { await page.mouse.down(); await page.mouse.move(box.x + box.width / 2 - 120, box.y + 60, { steps: 8 }); await page.mouse.up(); });
assert.ok((await view())[0] > zoomed[0], 'dragging pans');
await canvas.focus();
await timed('pan by key', () => page.keyboard.press('ArrowLeft'));
await timed('zoom by key', () => page.keyboard.press('ArrowDown'));
await page.keyboard.press('End');
await page.waitForTimeout(100);

const spot = await page.evaluate(() => { const h = document.getElementById('stage').page.timeline.hits.filter(h => h.kind === 'packet' && h.x1 > 200 && h.x1 < 800)[5]; return [(h.x1 + h.x2) / 2, (h.y1 + h.y2) / 2]; });
await timed('hover', async () => { const b = await canvas.boundingBox(); await page.mouse.move(b.x + spot[0] - 3, b.y + spot[1]); await page.mouse.move(b.x + spot[0], b.y + spot[1]); });
assert.match(await page.locator('.tip').textContent(), /flow|from|peer|at/);
await page.mouse.click((await canvas.boundingBox()).x + spot[0], (await canvas.boundingBox()).y + spot[1]);
assert.ok((await page.locator('.detail dl').count()) === 1, 'a click selects');

const drawn = await packets();
await timed('filter by protocol', () => page.locator('.tools label', { hasText: 'checks' }).locator('input').uncheck());
await page.waitForTimeout(100);
assert.ok((await packets()) < drawn, 'checks are gone');
await page.locator('.tools label', { hasText: 'checks' }).locator('input').check();
const calls = page.locator('.tools select');
if (await calls.count()) {
  await timed('filter by call', () => calls.selectOption({ index: 1 }));
  await page.waitForTimeout(100);
  assert.ok((await packets()) < drawn, 'other calls are gone');
  await calls.selectOption({ index: 0 });
}
await page.locator('.tools input[type=search]').fill('nothing has this text');
await page.waitForTimeout(300);
assert.equal(await packets(), 0);
await page.locator('.tools input[type=search]').fill('');
await canvas.focus();
await page.keyboard.press('Home');
await page.waitForTimeout(300);
await page.keyboard.press('n');
await page.keyboard.press('n');
assert.ok((await page.locator('.detail b').count()) > 0, 'n steps to the next');

const line = await page.locator('.head .copy code').textContent();
await page.locator('.head .copy button').click();
await page.locator('.head .copy button', { hasText: 'Copied' }).waitFor();
await page.locator('.tools input[type=search]').focus();
await page.keyboard.press('Control+V');
assert.equal(await page.locator('.tools input[type=search]').inputValue(), line, 'the replay line is in the clipboard');
await page.locator('.tools input[type=search]').fill('');
await page.waitForTimeout(300);

for (const [width, height] of [[1280, 800], [1920, 1080]]) {
  await page.setViewportSize({ width, height });
  await page.waitForTimeout(200);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 1, `${width}: the page is ${wide} pixels too wide`);
  await page.screenshot({ path: `${shot}-${width}.png` });
}
await page.locator('.head a').click();
await page.locator('#overview').waitFor({ state: 'visible' });
await page.screenshot({ path: `${shot}-overview.png` });
assert.deepEqual(errors, []);
assert.deepEqual(asked.filter(url => !url.startsWith('file:')), [], 'nothing is loaded from anywhere');
console.log(figures.join('\n'));
await context.close();
