// Every page in a real browser: with and without JavaScript, both languages, light and dark, narrow and
// wide, by keyboard alone; axe-core finds nothing; nothing foreign is asked for, nothing overflows.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { House, browser, root, until } from './house.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.SCREENSHOTS; // a folder: pictures of the pages go there

let house, chromium;
const pages = {}; // name -> URL

function inLanguage(url, lang) {
  const all = new URL(url);
  all.searchParams.set('lang', lang);
  return all.href;
}

async function open(context, url) {
  const page = await context.newPage();
  page.trouble = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.trouble.push(m.text()));
  page.on('pageerror', (e) => page.trouble.push(String(e)));
  page.on('request', (r) => {
    if (!r.url().startsWith(new URL(url).origin)) page.trouble.push(`asks for ${r.url()}`);
  });
  page.answer = await page.goto(url, { waitUntil: 'load' });
  return page;
}

async function within(options, url, look) {
  const context = await chromium.newContext(options);
  try {
    return await look(await open(context, url));
  } finally {
    await context.close();
  }
}

before(async () => {
  house = await House.open();
  chromium = await browser();
  await until(async () => (await house.site(house.operators)).scenarios[0].last, 'a run');
  await house.trouble();
  await until(async () => (await house.ask('ledger.json')).totals.needs_admin, 'something needs an administrator');
  house.declare('open', 'incident', 'Volumes cannot be made', 'Requests for **new volumes** fail.\n\n- servers run on',
    '--id', 'volumes-fail', '--component', 'block-storage=100', '--component', 'image=50');
  house.declare('update', 'volumes-fail', '## Cause\n\nA disk is ful: `/dev/sda`.', '--phase', 'identified');
  house.declare('correct', 'volumes-fail', '2', '## Cause\n\nA disk is full: `/dev/sda`.');
  house.declare('open', 'maintenance', `Firmware ${'x'.repeat(90)}`, '--id', 'firmware', '--start', '+2h', '--until', '+4h',
    '--component', 'compute=30');
  house.declare('open', 'info', 'Price list', '--id', 'price-list', '--draft');
  await house.alert({ alertname: 'DiskFull', severity: 'critical', instance: `storage-${'y'.repeat(80)}:9100` }, 'A disk is full');
  await until(async () => (await house.site()).events.length && (await house.site()).upcoming.length, 'events');
  const site = await house.site(house.operators);
  const evidence = house.component(site, 'block-storage').evidence;
  const at = (where, p) => new URL(p, where).href;
  const linked = async (where) => at(house.operators, (await (await fetch(at(house.operators, where))).text())
    .match(new RegExp(`href="(${where}/[^"]+)"`))[1]);
  Object.assign(pages, {
    status: at(house.page, '/'),
    component: at(house.page, '/components/block-storage'),
    availability: at(house.page, '/availability'),
    scenario: at(house.page, '/scenarios/server-login'),
    evidence: at(house.page, `/evidence/${evidence}`),
    event: at(house.page, '/events/volumes-fail'),
    history: at(house.page, '/history'),
    missing: at(house.page, '/nothing-here'),
    'operators-status': at(house.operators, '/'),
    'operators-component': at(house.operators, '/components/compute'),
    'operators-scenario': at(house.operators, '/scenarios/server-login'),
    'operators-run': at(house.operators, `/runs/${site.scenarios[0].last.run}`),
    'operators-evidence': at(house.operators, `/evidence/${evidence}`),
    'operators-event': at(house.operators, '/events/price-list'),
    'operators-alerts': at(house.operators, '/alerts'),
    'operators-history-some': await linked('/history'),
    'operators-ledger': at(house.operators, '/ledger'),
    'operators-ledger-some': await linked('/ledger'),
    'operators-hosts': at(house.operators, '/hosts'),
    'operators-calls': at(house.operators, '/calls'),
    'operators-calls-some': await linked('/calls'),
    'operators-explore': at(house.operators, '/explore'),
    'operators-explore-drawn': at(house.operators, '/explore?pattern=endpoint.compute&from=-10min'),
    'operators-explore-wrong': at(house.operators, '/explore?from=whenever'),
  });
}, { timeout: 300000 });

after(async () => {
  await chromium?.close();
  await house?.close();
});

const names = ['status', 'component', 'availability', 'scenario', 'evidence', 'event', 'history', 'missing', 'operators-status',
  'operators-component', 'operators-scenario', 'operators-run', 'operators-evidence', 'operators-event', 'operators-alerts', 'operators-history-some',
  'operators-ledger', 'operators-ledger-some', 'operators-hosts', 'operators-calls', 'operators-calls-some', 'operators-explore', 'operators-explore-drawn', 'operators-explore-wrong'];
const wide = { width: 1280, height: 900 }, narrow = { width: 320, height: 640 };

describe('axe-core finds nothing', () => {
  for (const name of names)
    for (const colorScheme of ['light', 'dark'])
      test(`${name}, ${colorScheme}`, () =>
        within({ viewport: colorScheme === 'dark' ? narrow : wide, colorScheme, bypassCSP: true }, pages[name], async (page) => {
          await page.evaluate(axe);
          const found = await page.evaluate(() => globalThis.axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
          assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ').slice(0, 400)}`), []);
        }));
});

describe('nothing overflows, nothing foreign, nothing inline', () => {
  for (const name of names)
    for (const [size, viewport] of Object.entries({ wide, narrow }))
      for (const lang of ['en', 'de'])
        test(`${name}, ${size}, ${lang}`, () =>
          within({ viewport }, inLanguage(pages[name], lang), async (page) => {
            const [needed, there] = await page.evaluate(() =>
              [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
            assert.ok(needed <= there, `${needed} px needed, ${there} there`);
            const outside = await page.evaluate(() => [...document.querySelectorAll('svg[viewBox] > path')]
              .filter((p) => p.getBBox().x + p.getBBox().width > p.ownerSVGElement.viewBox.baseVal.width + 0.1)
              .map((p) => `${p.className.baseVal} of ${p.ownerSVGElement.getAttribute('viewBox')}: ${p.getAttribute('d')}`));
            assert.deepEqual(outside, []);
            const trouble = page.trouble.filter((t) => !(name === 'missing' && t.includes('404')));
            assert.deepEqual(trouble, []); // the CSP would complain here
            assert.equal(await page.getAttribute('html', 'lang'), lang);
          }));
});

// What lies out of sight on a phone is not read at night. Months, who reached whom and the tables of others are
// compared along a row: they alone are moved.
describe('a phone shows the whole of each table', () => {
  for (const name of names)
    test(name, () =>
      within({ viewport: narrow }, pages[name], async (page) => {
        const cut = await page.evaluate(() => {
          document.querySelectorAll('details').forEach((d) => { d.open = true; });
          return [...document.querySelectorAll('.scroll')]
            .filter((s) => !s.closest('.prose') && !s.querySelector('.matrix, .months:not(.stack)'))
            .filter((s) => s.scrollWidth > s.clientWidth)
            .map((s) => `${s.getAttribute('aria-label')}: ${s.scrollWidth} px needed, ${s.clientWidth} there`);
        });
        assert.deepEqual(cut, []);
      }));
});

test('every page of the route table is looked at', async () => {
  const table = await readFile(path.join(root, 'src/web/route_table.c'), 'utf8');
  const paths = [...table.matchAll(/(?:_PAGE\(|\.path = )"([^"]+)"[^}]*?PAGE_[A-Z]+/g)].map((m) => m[1]);
  assert.ok(paths.length >= 16, paths.join(' '));
  const looked = names.map((name) => new URL(pages[name]).pathname);
  const missed = paths.filter((p) => !looked.some((l) => new RegExp(`^${p.replace(/\{\w+\}/g, '[^/]+')}$`).test(l)));
  assert.deepEqual(missed, []);
});

describe('without JavaScript', () => {
  for (const name of names)
    test(name, async () => {
      const words = async (page) => (await page.innerText('main')).replace(/[\d:.,]+/g, '#').split(/\s+/).length;
      const without = await within({ javaScriptEnabled: false }, pages[name], words);
      const withIt = await within({}, pages[name], words);
      assert.ok(without > 5, 'the page says something');
      assert.ok(without >= withIt * 0.9, `${without} words without, ${withIt} with`);
    });
});

describe('what the pages say', () => {
  test('the words of each state stand beside shapes, in both languages', () =>
    within({}, pages.status, async (page) => {
      const text = await page.innerText('main');
      for (const word of [/operational/i, /degraded/i, /outage/i, /unknown/i]) assert.match(text, word);
      await page.goto(`${pages.status}?lang=de`);
      const german = await page.innerText('main');
      for (const word of [/beeinträchtigt/i, /ausgefallen/i, /unbekannt/i]) assert.match(german, word);
    }));

  test('the page says when it was made', () =>
    within({}, pages.status, async (page) => assert.match(await page.innerText('body'), /\d\d:\d\d:\d\d/)));

  test('the language link keeps the page', () =>
    within({}, pages.component, async (page) => {
      await page.click('a[hreflang=de]');
      assert.match(page.url(), /components\/block-storage\?lang=de/);
      assert.equal(await page.getAttribute('html', 'lang'), 'de');
    }));

  test('runs are for operators', () =>
    within({}, pages['operators-run'].replace(new URL(house.operators).origin, new URL(house.page).origin),
      async (page) => {
        assert.equal(page.answer.status(), 403);
        assert.doesNotMatch(await page.content(), /req-[0-9a-f]{8}-/);
      }));

  test('hosts are for operators, and drawn with words beside', () =>
    within({}, pages['operators-hosts'], async (page) => {
      assert.match(await page.innerText('main'), /\d+\s(ms|s|min) ago/);
      await page.goto(new URL('/hosts', house.page).href);
      assert.doesNotMatch(await page.content(), /<table/);
    }));

  test('public evidence has no request, operators\' has', async () => {
    await within({}, pages.evidence, async (page) =>
      assert.doesNotMatch(await page.content(), /req-[0-9a-f]{8}-|curl|127\.0\.0\.1:\d+\/volume/));
    await within({}, pages['operators-evidence'], async (page) =>
      assert.match(await page.content(), /req-[0-9a-f]{8}-/));
  });

  test('what is declared stands beside what is measured, without a script', () =>
    within({ javaScriptEnabled: false }, pages.event, async (page) => {
      const row = (name) => page.locator('.affected tr', { hasText: name }).innerText();
      assert.match(await row('Block storage'), /outage[^]*100\/100[^]*Outage/);
      assert.match(await row('Image'), /partial outage[^]*Operational[^]*What is measured is better/);
      assert.equal(await page.locator('.updates > li').count(), 2);
      await page.click('summary:has-text("Earlier wording")');
      assert.match(await page.locator('.earlier').innerText(), /A disk is ful:/);
      await page.goto(new URL('/incidents/volumes-fail', house.page).href);
      assert.match(page.url(), /\/events\/volumes-fail$/);
    }));

  test('the history is filtered by links', () =>
    within({ javaScriptEnabled: false }, pages.history, async (page) => {
      await page.click('.choices >> text=Incidents');
      assert.equal(await page.locator('article').count(), 1);
      await page.click('summary:has-text("Component")');
      await page.click('.choices >> text=Compute');
      assert.equal(await page.locator('article').count(), 0);
      assert.match(await page.innerText('main'), /Nothing was declared/);
    }));

  test('dark is dark', async () => {
    const light = (page) => page.evaluate(() => {
      const c = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
      return c[0] + c[1] + c[2];
    });
    assert.ok(await within({ colorScheme: 'light' }, pages.status, light) > 600);
    assert.ok(await within({ colorScheme: 'dark' }, pages.status, light) < 200);
  });
});

describe('exploring', () => {
  test('the form asks, and links move on, without a script', () =>
    within({ javaScriptEnabled: false }, pages['operators-explore'], async (page) => {
      assert.equal(await page.locator('article').count(), 0);
      await page.fill('#pattern', 'endpoint.compute');
      await page.fill('#from', '-1h');
      await page.press('#from', 'Enter');
      await page.waitForSelector('article');
      const drawn = await page.locator('article').count();
      await page.click('details.found summary');
      await page.check('#s0');
      await page.click('.found button');
      await page.waitForURL(/series=/);
      assert.ok(await page.locator('article').count() <= drawn);
      assert.equal(await page.isChecked('#s0'), true);
      const heading = await page.innerText('h2');
      await page.click('text=Earlier');
      assert.notEqual(await page.innerText('h2'), heading);
      assert.match(page.url(), /series=endpoint\.compute/);
    }));

  test('dragging over a picture moves closer', () =>
    within({ viewport: wide }, pages['operators-explore-drawn'], async (page) => {
      const picture = page.locator('svg.zoom').first();
      await picture.scrollIntoViewIfNeeded();
      const from = Number(await picture.getAttribute('data-from')), to = Number(await picture.getAttribute('data-to'));
      const box = await picture.boundingBox();
      const at = (share) => [box.x + box.width * share, box.y + 60];
      await page.mouse.move(...at(0.25));
      await page.mouse.down();
      await page.mouse.move(...at(0.75), { steps: 3 });
      assert.equal(await page.locator('.picked').count(), 1);
      await page.mouse.up();
      await page.waitForURL(/from=\d+/);
      const asked = new URL(page.url()).searchParams;
      assert.equal(asked.get('pattern'), 'endpoint.compute');
      assert.ok(Math.abs(asked.get('from') * 1000 - (from + (to - from) / 4)) < 5000);
      assert.ok(Math.abs(asked.get('until') * 1000 - (from + (to - from) * 3 / 4)) < 5000);
      assert.deepEqual(page.trouble, []);
    }));
});

test('a picture says at the pointer what its table says', () =>
  within({ viewport: wide, timezoneId: 'UTC' }, pages['operators-explore-drawn'], async (page) => {
    const article = page.locator('article').first();
    const picture = article.locator('svg.zoom');
    await picture.scrollIntoViewIfNeeded();
    const box = await picture.boundingBox();
    const read = async (share) => {
      await page.mouse.move(box.x + box.width * share, box.y + 60);
      return until(async () => await article.locator('.reading').innerText(), 'a reading', 20);
    };
    assert.match(await read(0.01), /\d\d:\d\d:\d\d UTC: not measured$/); // from before the house began
    assert.match(await read(0.97), /\d\d:\d\d:\d\d UTC: [\d.,]+ ms; \d+ measured, \d+ failed$/);
    await page.mouse.move(5, 5);
    assert.equal(await article.locator('.reading').innerText(), '');
    assert.deepEqual(page.trouble, []);
  }));

describe('by keyboard', () => {
  test('the first stop leads to the content', () =>
    within({}, pages.status, async (page) => {
      await page.keyboard.press('Tab');
      const href = await page.evaluate(() => document.activeElement.getAttribute('href'));
      assert.match(href, /^#/);
      await page.keyboard.press('Enter');
      assert.ok(await page.evaluate((id) => document.getElementById(id).tagName === 'MAIN', href.slice(1)));
    }));

  for (const name of ['status', 'component', 'scenario'])
    test(`every stop of ${name} is seen`, () =>
      within({ viewport: wide }, pages[name], async (page) => {
        const stops = await page.evaluate(() => document.querySelectorAll('a[href], button, summary').length);
        const seen = new Set();
        for (let i = 0; i < Math.min(stops, 60); i++) {
          await page.keyboard.press('Tab');
          const stop = await page.evaluate(() => {
            const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
            // a link in a picture is seen by the stroke of its shape
            const shape = e.closest('svg') && getComputedStyle(e.querySelector('path')).stroke;
            return { name: `${e.tagName} ${e.getAttribute('href')}`, outline: shape ? shape !== 'none' : s.outlineStyle !== 'none', big: b.width + b.height > 0 };
          });
          seen.add(stop.name);
          if (stop.name.startsWith('BODY')) break;
          assert.ok(stop.outline && stop.big, `${stop.name} shows no focus`);
        }
        assert.ok(seen.size >= 5);
      }));

  test('a component is reached and opened', () =>
    within({}, pages.status, async (page) => {
      await page.focus('a[href^="/components/compute"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/components\/compute/);
      assert.match(await page.innerText('h1'), /compute/i);
    }));
});

test('pictures', { skip: !shots && 'SCREENSHOTS names no folder' }, async () => {
  const folder = path.resolve(root, shots);
  await mkdir(folder, { recursive: true });
  const take = (file, url, options, full = true) => within(options, url, (page) =>
    page.screenshot({ path: path.join(folder, file), fullPage: full }));
  for (const name of names) {
    await take(`${name}.png`, pages[name], { viewport: wide });
    for (const [width, viewport] of Object.entries({ wide, narrow }))
      await take(`${name}-${width}-dark-plain.png`, pages[name],
        { viewport, colorScheme: 'dark', javaScriptEnabled: false });
    await take(`${name}-narrow-de.png`, inLanguage(pages[name], 'de'), { viewport: narrow });
  }
});
