// The pictures of docs/screenshots: simulated clouds, watched and broken, in a browser without JavaScript.
//
//	node pictures.mjs FOLDER		(tools/browser pictures)
//
// Their times are those of the minute they are made in. What happened before that minute, 90 days of it, is made up: past.c.
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { House, browser, root, until } from './house.mjs';

const folder = path.resolve(process.argv[2]);
const wide = 1280, narrow = 320, tallest = 2400;
const chromium = await browser();

// The page from its top, as tall as it is or as `height` says.
async function take(name, base, where, { width = wide, height, dark = false } = {}) {
  const context = await chromium.newContext({ viewport: { width, height: height ?? 900 }, javaScriptEnabled: false,
    colorScheme: dark ? 'dark' : 'light' });
  const page = await context.newPage();
  const answer = await page.goto(new URL(where, base).href, { waitUntil: 'load' });
  if (!answer.ok()) throw new Error(`${where}: ${answer.status()}`);
  // what rendering may say is measured before the viewport grows with it
  const tall = height ?? Math.min(await page.evaluate(() => document.documentElement.scrollHeight), tallest);
  await page.setViewportSize({ width, height: tall });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await context.close();
}

const services = ['identity', 'compute', 'network', 'block-storage', 'image', 'dns', 'object-storage', 'key-manager',
  'load-balancer', 'orchestration'];

// Days on which something was, as seconds: degraded, out, unknown, under maintenance, unseen.
const happened = {
  compute: { 71: [3400, 1260, 0, 0, 0], 33: [5200, 0, 0, 0, 0] },
  network: { 58: [0, 0, 0, 7200, 0], 12: [900, 540, 0, 0, 0] },
  image: { 26: [0, 0, 3600, 0, 0] },
  'load-balancer': { 64: [1800, 0, 0, 0, 0], 9: [0, 0, 0, 10800, 0] },
  dns: { 41: [0, 2400, 0, 0, 0] },
};
const blackout = { 47: 30000, 46: 86400 }; // we ourselves were away

function past(house) {
  const lines = [];
  for (const id of services)
    for (let ago = 89; ago > 0; ago--) {
      const [degraded, out, unknown, maintenance] = happened[id]?.[ago] ?? [0, 0, 0, 0];
      const good = 86400 - degraded - out - unknown - maintenance - (blackout[ago] ?? 0);
      if (good > 0) lines.push([id, ago, good, degraded, out, unknown, maintenance].join(' '));
    }
  const made = spawnSync(path.join(root, 'build/tests/browser/past'), [path.join(house.place, 'state')],
    { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
}

// A cloud after a while: first well but for one server, then slow, broken and forbidden.
async function watched() {
  const house = await House.open({
    config: {
      site: { name: 'Example Cloud', languages: ['en', 'de'] },
      scenarios: [{ use: 'server-login', every: '10s' }],
    },
    before: past,
  });
  try {
    const scenario = async () => (await house.ask('scenarios/server-login.json')).runs;
    const passed = await until(async () => (await scenario()).find((r) => r.verdict === 'passed'), 'a run that passed');
    await house.faults({ service: 'build', host: 'az1-*', effect: 'error', text: 'the disk is full', times: 1 });
    await until(async () => (await scenario()).some((r) => r.verdict === 'failed'), 'a run that failed');
    const before = (await scenario()).length;
    await until(async () => (await scenario()).length >= before + 3, 'some more');
    await take('run', house.operators, `/runs/${passed.run}`);
    await take('scenario', house.operators, '/scenarios/server-login');
    await take('hosts', house.operators, '/hosts', { height: 900 });

    await house.trouble();
    house.declare('open', 'incident', 'Volumes cannot be made', 'Requests for **new volumes** fail; servers run on.',
      '--id', 'volumes-fail', '--component', 'block-storage=100');
    house.declare('open', 'maintenance', 'New firmware for the switches', '--start', '+44h', '--until', '+46h',
      '--component', 'network=30');
    await until(async () => (await house.site()).events.length && (await house.site()).upcoming.length, 'both are shown');
    const { evidence } = house.component(await house.site(), 'block-storage');
    await take('status', house.page, '/');
    await take('status-dark', house.page, '/', { dark: true });
    await take('status-narrow', house.page, '/', { width: narrow });
    await take('component', house.page, '/components/block-storage');
    await take('evidence', house.operators, `/evidence/${evidence}`);
  } finally {
    await house.close();
  }
}

// Compute answers 503 until the event of it is public, and is well again until that has closed itself.
async function outage() {
  const house = await House.open({ config: {
    site: { name: 'Lab', languages: ['en', 'de'] }, scenarios: [],
    events: { suspect: { lasting: '20s', announce: '40s', close: 'auto', after: '1m' } },
  } });
  try {
    const mine = async () => (await house.site()).events.find((e) => e.machine);
    await house.faults({ service: 'compute', effect: 'status', status: 503 });
    const { id } = await until(mine, 'the event is public', 300);
    await take('outage', house.page, '/', { height: 1400 });
    const { evidence } = await house.ask(`events/${id}.json`);
    await house.faults();
    await until(async () => (await mine()).ended_ms, 'the event is closed', 300);
    await take('event', house.page, `/events/${id}`, { height: 1400 });
    await take('outage-evidence', house.page, `/evidence/${evidence.at(-1)}`, { height: 1400 });
  } finally {
    await house.close();
  }
}

try {
  await mkdir(folder, { recursive: true });
  await watched();
  await outage();
} finally {
  await chromium.close();
}
