// A simulated cloud and `glasshouse run` watching it, for one file of tests; and a browser.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.GLASSHOUSE ?? path.join(root, 'build/src/glasshouse');

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Until `ask` yields something true; what it threw last stands in the error.
export async function until(ask, what, seconds = 90) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const value = await ask();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await pause(100);
  }
  throw new Error(`not within ${seconds}s: ${what}${last ? ` (${last})` : ''}`);
}

function lines(child, count) {
  return new Promise((done, fail) => {
    let text = '';
    child.stdout.on('data', (piece) => {
      text += piece;
      const found = text.split('\n');
      if (found.length > count) done(found.slice(0, count));
    });
    child.on('exit', (code) => fail(new Error(`ended with ${code} before it was ready: ${text}`)));
  });
}

// What the first page says of the site: each kind of block that Markdown can have.
const about = { en: `We observe **Example Cloud** from *outside*.

# Whom to ask

- <mailto:ops@example.org>, [support](https://example.org/support "Support")
- [availability](/availability)
  1. by day

### Zones

| Zone | Place | Racks | Connected to | Since the beginning of |
|:-----|:-----:|------:|--------------|------------------------|
| eu-1 | Berlin | 14 | eu-2, eu-3 | 2019 |

> What is not known is not shown as good.

    openstack --os-cloud example server list --long --all-projects --sort-column Name

---

![The map](https://example.org/a/very/long/address/${'x'.repeat(200)}.png) ${'y'.repeat(200)}
` };

export class House {
  // `config` goes over what the house is configured with, a key of the top at a time; `speed` is the cloud's, and
  // `before` is done when all is there but the house.
  static async open({ config = {}, speed = 10, before = () => {} } = {}) {
    const house = new House();
    house.place = await mkdtemp(path.join(tmpdir(), 'browser-'));
    const clouds = path.join(house.place, 'clouds.yaml'), faults = path.join(house.place, 'faults.yaml');
    const stuck = path.join(house.place, 'stuck.yaml');
    await writeFile(stuck, JSON.stringify({
      scenario: 'stuck', title: 'A volume is saved', teardown: '3s',
      resources: { vol: { volume: { size: 1 } }, snap: { snapshot: { volume_id: '${vol}' } } } }));
    await writeFile(faults, JSON.stringify({
      faults: [{ service: 'volume', method: 'DELETE', path: '*/snapshots/*', effect: 'error', times: 1 }] }));
    house.sim = spawn(program, ['simulate', '--clouds', clouds, '--speed', String(speed), '--faults', faults],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    [house.cloud] = await lines(house.sim, 1);
    const file = path.join(house.place, 'glasshouse.yaml');
    await writeFile(file, JSON.stringify({
      site: { name: 'Example Cloud', languages: ['en', 'de'], about },
      location: 'berlin-outside', instance: 'browser', store: `sqlite:${house.place}/state`,
      listen: { public: '127.0.0.1:0', intake: '127.0.0.1:0' }, judge: { minimum: '1s' },
      faces: { alertmanager: 'write' },
      clouds: { sim: { every: '1s', timeout: '1s', slow: '500ms' } },
      scenarios: [{ use: 'server-login', every: '10s' }, { use: stuck, every: '1h', runs: 1 }],
      ...config,
    }));
    before(house);
    house.run = spawn(program, ['run', '-c', file],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, OS_CLIENT_CONFIG_FILE: clouds } });
    const said = await lines(house.run, 2);
    [house.page, house.operators] = said.map((line) => line.split(/\s+/)[1]);
    await house.health('compute', 'operational');
    return house;
  }

  async site(base = this.page) {
    const answer = await fetch(new URL('/api/ops/v1/status.json', base));
    return answer.json();
  }

  // Each state once: slow, broken, forbidden, well.
  async trouble() {
    await this.faults(
      { service: 'compute', method: 'GET', effect: 'latency', time: '800ms' },
      { service: 'volume', effect: 'status', status: 503 },
      { service: 'network', effect: 'status', status: 403 });
    await this.health('block-storage', 'outage');
    await this.health('network', 'unknown');
    await this.health('compute', 'degraded');
  }

  // A document of the operators'.
  async ask(name) {
    const answer = await fetch(new URL(`/api/ops/v1/${name}`, this.operators));
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  }

  component(site, id) {
    return site.components.find((c) => c.id === id);
  }

  health(id, wanted) {
    return until(async () => this.component(await this.site(), id)?.health === wanted, `${id} ${wanted}`);
  }

  // `glasshouse event ...` beside the house that runs.
  declare(...args) {
    const done = spawnSync(program, ['event', ...args, '--state', `${this.place}/state`], { cwd: root, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
  }

  // As an Alertmanager sends them.
  async alert(labels, summary) {
    const answer = await fetch(new URL('/api/ops/v1/alertmanager', this.operators), {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ version: '4', alerts: [{ status: 'firing', labels, annotations: { summary },
        startsAt: new Date(Date.now() - 60000).toISOString(), generatorURL: 'https://prometheus.example.org/graph?g0.expr=up' }] }) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }

  async faults(...rules) {
    await fetch(`${this.cloud}/sim/faults`, { method: 'DELETE' });
    if (!rules.length) return;
    await fetch(`${this.cloud}/sim/faults`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ faults: rules }) });
  }

  async close() {
    for (const child of [this.run, this.sim]) {
      if (!child || child.exitCode !== null) continue;
      const ended = new Promise((done) => child.on('exit', done));
      child.removeAllListeners('exit');
      child.on('exit', () => {});
      const again = new Promise((done) => child.once('close', done));
      child.kill('SIGTERM');
      await Promise.race([ended, again, pause(60000)]);
      child.kill('SIGKILL');
    }
    if (this.place) await rm(this.place, { recursive: true, force: true });
  }
}

// Chromium asks its makers' hosts many things; none of them is reachable or wanted here.
export function browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}
