// The portal in a real browser against real nodes. `tests/tests/portal.rs` starts three nations and says where
// they are: CHANCERY_E2E is {"FR": url, "KE": url, "BR": url, "weights": folder} and digests of
// cards: "hostile" of FR, "withdrawn" and "redacted" of BR.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { axe, launch, open } from './browser.mjs';
import { between } from './proxy.mjs';

const federation = JSON.parse(process.env.CHANCERY_E2E);
const MODEL = '/model/FR/voltaire/voltaire-petit';
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Runs `steps` on a fresh page, which may do nothing wrong on the way. */
async function visit(options, steps) {
  const { page, wrongs, close } = await open(browser, options);
  try {
    await steps(page);
    assert.deepEqual(wrongs, []);
  } finally {
    await close();
  }
}

async function pin(page, node) {
  await page.goto(`${node}/en/nation/FR`);
  await page.getByRole('button', { name: 'I have compared it: pin it' }).click();
  await page.getByText('You have pinned this fingerprint').waitFor();
}

async function verdict(page) {
  const mark = page.locator('[data-verdict]');
  await mark.waitFor();
  return mark.getAttribute('data-verdict');
}

describe('a diplomat in Kenya', () => {
  test('finds a French model, pins its nation and sees it verified', async () => {
    await visit({}, async (page) => {
      await page.goto(`${federation.KE}/`);
      assert.match(page.url(), /\/en$/);
      await page.getByRole('searchbox', { name: 'Words' }).fill('voltaire');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('link', { name: 'Voltaire Petit' }).first().click();
      await page.getByRole('heading', { level: 1, name: /Voltaire Petit/ }).waitFor();
      assert.equal(await verdict(page), 'unpinned');
      assert.doesNotMatch(await page.locator('body').innerText(), /\bverified\b/i);
      await pin(page, federation.KE);
      await page.goBack();
      await page.locator('[data-verdict="verified"]').waitFor();
      assert.match(await page.locator('main').innerText(), /Verified: signed for FR/);
      for (const step of ['nation', 'log', 'signatures']) {
        assert.equal(await page.locator(`[data-step="${step}"]`).getAttribute('data-outcome'), 'holds', step);
      }
    });
  });

  test('asks for cosignatures with a policy, and is told who has cosigned', async () => {
    await visit({}, async (page) => {
      const keys = await page.request.post(`${federation.KE}/graphql`, { data: { query: '{ nations { code logKey witnessKey } }' } });
      const nations = new Map((await keys.json()).data.nations.map((nation) => [nation.code, nation]));
      const policy = (quorum) =>
        `log ${nations.get('FR').logKey}\nwitness KE ${nations.get('KE').witnessKey}\nwitness BR ${nations.get('BR').witnessKey}\n${quorum}\n`;
      await page.goto(`${federation.KE}/en/trust`);
      await page.getByRole('textbox', { name: 'A policy file' }).fill('nonsense');
      await page.getByText('This is not a policy').waitFor();
      await page.getByRole('textbox', { name: 'A policy file' }).fill(policy('group both all KE BR\nquorum both'));
      await page.getByRole('button', { name: 'Adopt it' }).click();
      await page.goto(`${federation.KE}/en${MODEL}`);
      assert.equal(await verdict(page), 'verified');
      assert.match(await page.locator('[data-step="cosignatures"]').innerText(), /ke\.example\.org.*br\.example\.org/s);
    });
  });

  test('checks the weights on the own disk, and a changed byte is found and where', async () => {
    const changed = mkdtempSync(join(tmpdir(), 'chancery-e2e-'));
    cpSync(federation.weights, changed, { recursive: true });
    const file = openSync(join(changed, 'model.safetensors'), 'r+');
    writeSync(file, 'x', 9_000_000);
    await visit({}, async (page) => {
      await page.goto(`${federation.KE}/en${MODEL}`);
      const files = (folder) => ['model.safetensors', 'README.md'].map((name) => join(folder, name));
      await page.getByLabel('Choose files').setInputFiles(files(federation.weights));
      await page.locator('[data-outcome="matches"]').nth(1).waitFor();
      await page.getByLabel('Choose files').setInputFiles(files(changed));
      const differs = page.locator('[data-outcome="differs"]');
      await differs.waitFor();
      assert.match(await differs.innerText(), /8,388,608–16,777,216/);
      writeFileSync(join(changed, 'stranger.bin'), 'x');
      await page.getByLabel('Choose files').setInputFiles([join(changed, 'stranger.bin')]);
      await page.getByText('is not a file of these weights').waitFor();
    });
  });

  test('goes everywhere by keyboard', async () => {
    await visit({}, async (page) => {
      await page.goto(`${federation.KE}/en`);
      await page.getByRole('heading', { level: 1, name: 'Models that nations publish' }).waitFor();
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.activeElement?.id === 'main');
      await page.getByRole('link', { name: 'Nations', exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Nations' }).waitFor();
      await page.waitForFunction(() => document.activeElement?.id === 'main');
    });
  });

  test('sorts the models by name, by keyboard on a telephone, and comes back to them by their address', async () => {
    await visit({ viewport: { width: 360, height: 740 } }, async (page) => {
      await page.goto(`${federation.KE}/en/models?nation=FR`);
      await page.getByRole('combobox', { name: 'Order' }).focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${federation.KE}/en/models?nation=FR&order=name`);
      await page.reload();
      await page.getByRole('article').nth(1).waitFor();
      assert.equal(await page.getByRole('combobox', { name: 'Order' }).inputValue(), 'name');
      const models = await page.getByRole('article').allInnerTexts();
      assert.deepEqual(models.map((model) => model.match(/voltaire\/\S+/)?.[0]), ['voltaire/hostile', 'voltaire/voltaire-petit']);
      await page.goto(`${federation.KE}/en/models?order=name&after=MS4xLjE=`);
      await page.getByRole('alert').filter({ hasText: 'did not give such a cursor for a list in this order' }).waitFor();
    });
  });

  test('whose browser keeps nothing can pin all the same, and is told how long it lasts', async () => {
    await visit({}, async (page) => {
      await page.addInitScript(() => {
        Object.defineProperty(globalThis, 'localStorage', {
          get: () => {
            throw new DOMException('Access is denied for this document.', 'SecurityError');
          },
        });
      });
      await page.goto(`${federation.KE}/en/nation/FR`);
      await page.getByRole('button', { name: 'I have compared it: pin it' }).click();
      await page.getByRole('alert').filter({ hasText: 'This browser did not keep your change' }).waitFor();
      await page.getByRole('link', { name: 'Voltaire Petit' }).first().click();
      assert.equal(await verdict(page), 'verified');
    });
  });
});

describe('a stranger between the reader and the node', () => {
  const digestOf = (path) => path.match(/^\/bundle\/([0-9a-f]{64})/)?.[1];
  const flip = (at) => (path, body) => {
    if (digestOf(path) === undefined) return undefined;
    const changed = Buffer.from(body);
    changed[Math.floor(at * (body.length - 1))] ^= 1;
    return changed;
  };
  const instead = (record) => async (path) => {
    if (digestOf(path) === undefined) return undefined;
    return Buffer.from(await (await fetch(`${federation.KE}/bundle/${record}`)).arrayBuffer());
  };
  const cut = (path, body) => (digestOf(path) === undefined ? undefined : body.subarray(0, body.length - 10));
  const longer = (path, body) => (digestOf(path) === undefined ? undefined : Buffer.concat([body, Buffer.from('x')]));
  const tampers = {
    'changes the first byte': flip(0),
    'changes the header': flip(0.01),
    'changes the charter': flip(0.1),
    'changes a signature in the middle': flip(0.4),
    'changes a proof': flip(0.8),
    'changes the last byte': flip(1),
    'cuts the end': cut,
    'adds a byte': longer,
    'gives another record of the same nation': instead(federation.hostile),
  };
  for (const [name, change] of Object.entries(tampers)) {
    test(`who ${name} is caught`, async () => {
      const proxy = await between(federation.KE, change);
      await visit({}, async (page) => {
        await pin(page, proxy.url);
        await page.goto(`${proxy.url}/en${MODEL}`);
        assert.equal(await verdict(page), 'failed');
        const step = page.locator('[data-outcome="fails"]').first();
        assert.notEqual((await step.innerText()).trim(), '', 'the failing step is named');
        assert.doesNotMatch(await page.locator('main').innerText(), /Verified: signed/);
      });
      proxy.close();
    });
  }

  test('who shows another fingerprint than the pinned one is caught', async () => {
    await visit({}, async (page) => {
      await pin(page, federation.KE);
      await page.evaluate(() => localStorage.setItem('chancery.pins', JSON.stringify({ fingerprints: { FR: '0'.repeat(64) }, policy: null })));
      await page.goto(`${federation.KE}/en${MODEL}`);
      assert.equal(await verdict(page), 'failed');
      assert.equal(await page.locator('[data-outcome="fails"]').getAttribute('data-problem'), 'other-fingerprint');
    });
  });
});

test('over plain HTTP to a name, the page says that it cannot verify, and shows no tick', async () => {
  const address = federation.KE.replace('127.0.0.1', 'insecure.test');
  await visit({}, async (page) => {
    await page.goto(`${address}/en${MODEL}`);
    assert.equal(await verdict(page), 'cannot');
    assert.equal(await page.locator('.mark-good').count(), 0);
  });
});

test('hostile text of a card does nothing, and honest text of two directions stays', async () => {
  await visit({}, async (page) => {
    let dialogs = 0;
    page.on('dialog', (dialog) => {
      dialogs += 1;
      void dialog.dismiss();
    });
    await page.goto(`${federation.FR}/en/model/FR/voltaire/hostile`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('[data-verdict]').waitFor();
    await page.locator('.prose h3').first().waitFor();
    const text = await page.locator('main').innerText();
    assert.equal(dialogs, 0);
    assert.match(text, /U\+202E/, 'what would turn the line is shown');
    assert.match(text, /نموذج/);
    assert.equal(await page.locator('main img, main script, main iframe, main svg a').count(), 0);
    assert.equal(await page.locator('main a[href^="javascript" i]').count(), 0);
  });
});

describe('a record that has ended', () => {
  const WITHDRAWN = '/model/BR/instituto/withdrawn/1.0';
  const REDACTED = '/model/BR/instituto/redacted/1.0';

  /** Waits until Kenya has heard of both, and of who has erased what. */
  before(async () => {
    const query = 'query($digest: Digest!) { record(digest: $digest) { verdict { state } erasure { receipts { nation { code } } } } }';
    const ask = async (digest) => {
      const answer = await fetch(`${federation.KE}/graphql`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables: { digest } }),
      });
      return (await answer.json()).data?.record;
    };
    const there = async () => {
      const [withdrawn, redacted] = await Promise.all([ask(federation.withdrawn), ask(federation.redacted)]);
      return withdrawn?.verdict.state === 'WITHDRAWN' && redacted?.verdict.state === 'REDACTED' && redacted.erasure.receipts.length === 3;
    };
    const end = Date.now() + 120_000;
    while (!(await there())) {
      assert.ok(Date.now() < end, `within two minutes Kenya says ${JSON.stringify(await ask(federation.redacted))}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });

  test('is marked in the list, and its page says who ended it and why', async () => {
    await visit({}, async (page) => {
      await page.goto(`${federation.KE}/en/nation/BR`);
      await page.getByRole('button', { name: 'I have compared it: pin it' }).click();
      await page.getByText('You have pinned this fingerprint').waitFor();
      await page.goto(`${federation.KE}/en/models?nation=BR`);
      const withdrawn = page.getByRole('article').filter({ hasText: 'instituto/withdrawn' });
      await withdrawn.getByText('withdrawn by its nation').waitFor();
      await page.getByRole('article').filter({ hasText: 'instituto/redacted' }).getByText('redacted: its contents are erased').waitFor();
      // To the model by its link, with the keyboard.
      await withdrawn.getByRole('link').focus();
      await page.keyboard.press('Enter');
      await page.locator('[data-verdict="withdrawn"]').waitFor();
      const text = await page.locator('main').innerText();
      assert.match(text, /Brazil no longer stands by this record\. Entry \d+ of its log says so/);
      assert.match(text, /Reason: what it describes is not safe/);
      assert.match(text, /It gives <b>dangerous<\/b> advice\./);
      assert.match(text, /A canary sings/, 'it stays readable');
      await page.goto(`${federation.KE}/en${REDACTED}`);
      await page.locator('[data-verdict="redacted"]').waitFor();
      const erased = await page.locator('main').innerText();
      assert.doesNotMatch(erased, /canary/);
      for (const nation of ['Brazil', 'France', 'Kenya']) await page.getByRole('link', { name: `Receipt: ${nation}` }).waitFor();
      await page.getByRole('link', { name: 'Receipt: France' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText('It is a receipt of an erasure.').waitFor();
    });
  });

  test('is readable without JavaScript, and printed', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${federation.KE}/en/record/${federation.redacted}`);
      const text = await page.locator('body').innerText();
      assert.match(text, /redacted: its contents are erased/);
      assert.match(text, /personal-data/);
      await page.goto(`${federation.KE}/ar${WITHDRAWN}`);
      assert.match(await page.locator('main[lang="ar"]').innerText(), /سحبتها دولتها[^]*يقدّم نصائح خطرة/);
    });
    await visit({}, async (page) => {
      await page.goto(`${federation.KE}/en${REDACTED}`);
      await page.locator('[data-verdict]').waitFor();
      await page.emulateMedia({ media: 'print' });
      const text = await page.locator('main').innerText();
      assert.match(text, /Reason: it says something about a person/);
      assert.match(text, /Say that they have erased it/);
    });
  });

  for (const language of ['en', 'ar', 'zh']) {
    for (const colorScheme of ['light', 'dark']) {
      test(`is accessible in ${language}, ${colorScheme}`, async () => {
        await visit({ colorScheme }, async (page) => {
          const paths = [WITHDRAWN, REDACTED, `/record/${federation.withdrawn}`, `/record/${federation.redacted}`];
          for (const path of paths) {
            await page.goto(`${federation.KE}/${language}${path}`);
            await page.locator('[data-verdict]').waitFor();
            await page.locator('[data-end]').waitFor();
            await page.waitForLoadState('networkidle');
            assert.deepEqual(await axe(page), [], path);
          }
        });
      });
    }
  }

  test('fits a telephone', async () => {
    await visit({ viewport: { width: 360, height: 740 } }, async (page) => {
      for (const path of [WITHDRAWN, REDACTED]) {
        await page.goto(`${federation.KE}/en${path}`);
        await page.locator('[data-end]').waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${path} sticks out by ${wide} pixels`);
      }
    });
  });
});

test('a record is readable without JavaScript', async () => {
  await visit({ javaScriptEnabled: false }, async (page) => {
    const { data } = await (
      await page.request.post(`${federation.KE}/graphql`, {
        data: { query: '{ model(urn: "urn:chancery:FR:voltaire:voltaire-petit") { card { digest } } }' },
      })
    ).json();
    const { digest } = data.model.card;
    await page.goto(`${federation.KE}/record/${digest}`);
    const text = await page.locator('body').innerText();
    assert.match(page.url(), /\/en\/record\//);
    assert.match(text, /Voltaire Petit/);
    assert.match(text, new RegExp(digest));
    await page.goto(`${federation.KE}/ar/record/${digest}`);
    assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
    assert.match(await page.locator('main[lang="ar"]').innerText(), /نوع الوثيقة\s+بطاقة نموذج/);
  });
});

const LANGUAGES = { en: 'Models', ar: 'النماذج', zh: '模型', fr: 'Modèles', ru: 'Модели', es: 'Modelos' };

describe('every page in every language', () => {
  for (const [language, models] of Object.entries(LANGUAGES)) {
    test(`speaks ${language}`, async () => {
      await visit({}, async (page) => {
        await page.goto(`${federation.KE}/${language}/models`);
        await page.getByRole('heading', { level: 1, name: models }).waitFor();
        assert.equal(await page.locator('html').getAttribute('lang'), language);
        assert.equal(await page.locator('html').getAttribute('dir'), language === 'ar' ? 'rtl' : 'ltr');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing sticks out');
      });
    });
  }

  const PAGES = ['', '/models', MODEL, '/nations', '/nation/FR', '/lookup?digest=00', '/trust', '/verification', '/about', '/nothing'];
  for (const language of ['en', 'ar', 'zh']) {
    for (const colorScheme of ['light', 'dark']) {
      test(`is accessible in ${language}, ${colorScheme}`, async () => {
        await visit({ colorScheme }, async (page) => {
          for (const path of PAGES) {
            await page.goto(`${federation.KE}/${language}${path}`);
            await page.getByRole('heading', { level: 1 }).waitFor();
            if (path === MODEL) await page.locator('[data-verdict]').waitFor();
            await page.waitForLoadState('networkidle');
            assert.deepEqual(await axe(page), [], path);
          }
        });
      });
    }
  }

  test('fits a telephone and a reader who needs large letters', async () => {
    await visit({ viewport: { width: 360, height: 740 } }, async (page) => {
      for (const path of PAGES) {
        await page.goto(`${federation.KE}/en${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${path} sticks out by ${wide} pixels`);
      }
    });
  });
});

test('a print shows digest and permalink', async () => {
  await visit({}, async (page) => {
    await page.goto(`${federation.KE}/en${MODEL}`);
    await page.locator('[data-verdict]').waitFor();
    await page.emulateMedia({ media: 'print' });
    const text = await page.locator('main').innerText();
    assert.match(text, /\/record\/[0-9a-f]{64}/);
    assert.equal(await page.getByRole('navigation').first().isVisible(), false);
  });
});
