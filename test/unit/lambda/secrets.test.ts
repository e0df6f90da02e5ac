import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { findSecrets, mayHoldSecret, secretError, secretIn } from "../../../src/lambda/secrets/find.ts";
import type { Collection, SourceFile } from "../../../src/layer/collect.ts";

/** As ssh-keygen begins one; what follows is not a key. */
const { privateKey: RSA_KEY } = generateKeyPairSync("rsa", {
  ...{ modulusLength: 1024, publicKeyEncoding: { type: "spki", format: "pem" } },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot a key\n";
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n";
const SERVICE_ACCOUNT = JSON.stringify({
  type: "service_account",
  private_key: "-----BEGIN PRIVATE KEY-----\nx",
});

/** Made up; in parts, so that no scanner takes them for keys that work. */
const KEYS = {
  id: `AKIA${"Q3EGTUR5LVZ7PAWX"}`,
  secret: `9xQmT4vLr2${"ZbN8wYcK5h"}${"G1jSdF7pRu"}${"VeXa3Mo6/k"}`,
};
/** AWS's own, of its documentation. */
const EXAMPLE =
  "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

type Files = Readonly<Record<string, string>>;

function fileOf(path: string, size: number): SourceFile {
  return {
    path,
    entry: { kind: "file", path: `var/task/${path}`, mode: 0o644, size, source: `/app/${path}` },
  };
}

function collectionOf(
  files: readonly SourceFile[],
  distributions: Collection["distributions"] = [],
): Collection {
  return { files, count: files.length, bytes: 0, warnings: [], distributions, directoryModes: new Map() };
}

async function found(files: Files, more: { distributions?: Collection["distributions"] } = {}) {
  const collection = collectionOf(
    Object.entries(files).map(([path, text]) => fileOf(path, text.length)),
    more.distributions,
  );
  const findings = await findSecrets(collection, async (path) => files[path] ?? assert.fail(path));
  return findings.map(({ path, what }) => `${path}: ${what}`);
}

const INDEX = "a password in a package index's address";

describe("a secret", () => {
  const secrets: readonly (readonly [string, string, string])[] = [
    [".env", "", "environment variables"],
    [".env.local", "", "environment variables"],
    [".env.production", "", "environment variables"],
    ["config/.env-prod", "", "environment variables"],
    [".envrc", "", "environment variables"],
    ["id_rsa", "", "an SSH key"],
    ["keys/id_ed25519", "", "an SSH key"],
    ["id_deploy", KEY, "a private key"],
    ["server.key", "-----BEGIN RSA PRIVATE KEY-----", "a private key"],
    ["tls/both.pem", `${CERTIFICATE}-----BEGIN PRIVATE KEY-----`, "a private key"],
    ["secret.PEM", "-----BEGIN EC PRIVATE KEY-----", "a private key"],
    ["sealed.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key"],
    ["me.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "a private key"],
    ["me.ppk", "PuTTY-User-Key-File-3: ssh-ed25519", "a private key"],
    [
      "credentials",
      `[default]\naws_access_key_id=${KEYS.id}\naws_secret_access_key = ${KEYS.secret}`,
      "AWS keys",
    ],
    ["aws-credentials.ini", `${EXAMPLE}\nKEY=${KEYS.id}\nSECRET="${KEYS.secret}"`, "AWS keys"],
    ["ci_accessKeys.csv", `Access key ID,Secret access key\n${KEYS.id},${KEYS.secret}`, "AWS keys"],
    ["service-account.json", SERVICE_ACCOUNT, "a service account's key"],
    ["my-project-0a1b2c3d4e5f.json", SERVICE_ACCOUNT, "a service account's key"],
  ];
  for (const [path, text, what] of secrets) {
    it(`${path} is ${what}`, async () =>
      assert.deepEqual(await found({ [path]: text }), [`${path}: ${what}`]));
  }

  const random = "4kT9xQmZvLr2bN8wYcK5hG1jSdF7pRuVeXa3Mo6AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdef";
  const tokens: readonly (readonly [string, string, string])[] = [
    ["src/app.py", `KEY = "${KEYS.id}"\nSECRET = "${KEYS.secret}"\n`, "AWS keys"],
    ["config.yaml", `id: ${KEYS.id}\nsecret: ${KEYS.secret}\n`, "AWS keys"],
    ["app.properties", `aws.id=${KEYS.id}\naws.secret=${KEYS.secret}\n`, "AWS keys"],
    ["src/a.js", `const t = "${"ghp"}_${random.slice(0, 36)}";`, "a GitHub token"],
    [
      "src/a.ts",
      `const t = "${"github"}_pat_${random.slice(0, 22)}_${random.slice(0, 59)}";`,
      "a GitHub token",
    ],
    ["deploy.sh", `curl -H "PRIVATE-TOKEN: ${"glpat"}-${random.slice(0, 20)}"`, "a GitLab token"],
    ["bot.rb", `TOKEN = "${"xoxb"}-1234567890-1234567890123-${random.slice(0, 24)}"`, "a Slack token"],
    [
      "hook.py",
      `"https://${"hooks"}.slack.com/services/T01ABCD2EFG/B01ABCD2EFG/${random.slice(0, 24)}"`,
      "a Slack webhook",
    ],
    ["pay.php", `"${"sk"}_live_${random.slice(0, 24)}"`, "a Stripe key"],
    ["ci.yml", `NPM: ${"npm"}_${random.slice(0, 36)}`, "an npm token"],
    ["oauth.json", `{"client_secret":"${"GOCSPX"}-${random.slice(0, 28)}"}`, "a Google OAuth secret"],
    [
      "src/key.js",
      `const k = \`-----BEGIN RSA ${"PRIVATE"} KEY-----\n${random.slice(0, 64)}\n\`;`,
      "a private key",
    ],
    [
      "sa.txt",
      `{"private_key": "-----BEGIN ${"PRIVATE"} KEY-----\\n${random.slice(0, 64)}\\n"}`,
      "a private key",
    ],
    ["rsa.ts", `export const key = \`${RSA_KEY}\`;`, "a private key"],
    ["rsa.config", JSON.stringify({ key: RSA_KEY }), "a private key"],
    ["config/master.key", "0123456789abcdef0123456789abcdef", "a key of Rails"],
    ["config/credentials/production.key", "0123456789abcdef0123456789abcdef\n", "a key of Rails"],
    ["requirements.txt", "--index-url https://ada:hunter2@pypi.corp.example/simple\nsix\n", INDEX],
    ["api/requirements-prod.txt", "-i http://ada:hunter2@10.0.0.1/simple\n", INDEX],
    ["pip.conf", "[global]\nextra-index-url = https://ada:hunter2@pypi.corp.example/simple\n", INDEX],
    [
      "uv.lock",
      '[[package]]\nsource = { registry = "https://ada:hunter2@pypi.corp.example/simple" }\n',
      INDEX,
    ],
    ["pyproject.toml", '[[tool.uv.index]]\nurl = "https://ada:hunter2@pypi.corp.example/simple"\n', INDEX],
    [
      "package-lock.json",
      '{"packages":{"a":{"resolved":"https://ada:hunter2@npm.corp.example/a.tgz"}}}',
      INDEX,
    ],
    ["poetry.toml", '[http-basic.corp]\nusername = "ada"\npassword = "hunter2"\n', "credentials of Poetry"],
    [
      "bunfig.toml",
      '[install]\nregistry = { url = "https://r.example", token = "0123456789" }\n',
      "credentials of Bun",
    ],
    [".bundle/config", 'BUNDLE_GEMS__CONTRIBSYS__COM: "user:pw"\n', "credentials of Bundler"],
    [".yarnrc.yml", 'npmAuthToken: "npm_abc"\n', "credentials of yarn"],
    [".cargo/credentials.toml", '[registry]\ntoken = "cio1234567"\n', "credentials of Cargo"],
    [".kube/config", "users:\n- user:\n    token: abcdefgh\n", "credentials of Kubernetes"],
    ["prod.kubeconfig", "    client-key-data: LS0tLS1CRUdJTg==\n", "credentials of Kubernetes"],
    [".m2/settings.xml", "<server><password>hunter22</password></server>", "credentials of Maven"],
    ["auth.json", '{"http-basic": {"repo.example.org": {"username": "a"}}}', "credentials of Composer"],
    ["terraform.tfstate", "{}", "the state of Terraform"],
    ["prod.tfvars", 'db_password = "hunter22"\n', "variables of Terraform"],
    [
      ".terraform.d/credentials.tfrc.json",
      '{"credentials":{"app.terraform.io":{"token":"abcdef"}}}',
      "credentials of Terraform",
    ],
    [".pgpass", "db:5432:app:me:hunter22\n", "passwords of PostgreSQL"],
    [".my.cnf", "[client]\npassword=hunter22\n", "passwords of MySQL"],
    ["rootkey.csv", `${KEYS.id},${KEYS.secret}`, "AWS keys"],
    [".env~", "A=1", "environment variables"],
    ["prod.env", "DB_PASSWORD=hunter22\n", "environment variables with secrets"],
    [
      ".envs/.production/.django",
      "DJANGO_SECRET_KEY=x\nAPI_TOKEN=abcdef\n",
      "environment variables with secrets",
    ],
    [".env.bak", "A=1", "environment variables"],
    [".vault-token", "hvs.x", "a token of Vault"],
    ["application_default_credentials.json", '{"refresh_token": "1//abcdef"}', "Google credentials"],
  ];
  for (const [path, text, what] of tokens) {
    it(`in ${path} is found: ${what}`, async () =>
      assert.deepEqual(await found({ [path]: text }), [`${path}: ${what}`]));
  }

  const harmless: readonly (readonly [string, string])[] = [
    [".env.example", ""],
    [".env.sample", ""],
    ["prod.env", "LOG_LEVEL=debug\nSECRET_ARN=arn:aws:secretsmanager:x\n"],
    ["example.env", "DB_PASSWORD=changeme\n"],
    [".env.local.template", ""],
    [".environment", ""],
    ["env.py", ""],
    ["id_rsa.pub", ""],
    ["id_token.py", KEY],
    ["ca.pem", CERTIFICATE],
    ["public.key", "-----BEGIN PUBLIC KEY-----"],
    ["credentials.py", "import os"],
    // botocore/credentials.py
    ["credentials.py", 'ACCESS_KEY = "aws_access_key_id"\nSECRET_KEY = "aws_secret_access_key"\n'],
    ["credentials", EXAMPLE],
    ["credentials.js", `id = "${KEYS.id}"; // ${"0123456789abcdef".repeat(2)}01234567`],
    ["credentials.md", `AKIA${"X".repeat(16)} and ${"x".repeat(40)}`],
    ["credentials", "[default]\nrole_arn = arn:aws:iam::123456789012:role/app"],
    ["credentials.json", "{}"],
    ["package.json", SERVICE_ACCOUNT],
    ["readme.md", KEY],
    [".env.vault", "DOTENV_VAULT=x"],
    [".env.d.ts", "declare namespace NodeJS {}"],
    ["env.ts", ""],
    [".yarnrc.yml", `nodeLinker: node-modules\nnpmAuthToken: ${"$"}{NPM_TOKEN}\n`],
    [
      "requirements.txt",
      `-i https://\${USER}:\${PASSWORD}@pypi.corp.example/simple\nx @ git+ssh://git@github.com/a/x\n`,
    ],
    ["uv.lock", 'source = { registry = "https://pypi.org/simple" }\nurl = "https://host.example:8443/a@b"\n'],
    ["node_modules/x/package-lock.json", '{"resolved":"https://ada:hunter2@npm.corp.example/a.tgz"}'],
    [".bundle/config", 'BUNDLE_PATH: "vendor/bundle"\nBUNDLE_BUILD__NOKOGIRI: "--use-system-libraries"\n'],
    ["settings.xml", "<settings><localRepository/></settings>"],
    ["auth.json", '{"roles": ["admin"]}'],
    ["gradle.properties", "org.gradle.jvmargs=-Xmx2g"],
    [
      "docs.md",
      `${"ghp"}_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and ${"sk"}_live_your_key_here_please_replace`,
    ],
    ["test.py", `${"AKIA"}IOSFODNN7EXAMPLE`],
    // @azure/storage-blob/dist/esm/utils/constants.js
    [
      "bundle.js",
      `AccountName=devstoreaccount1;${"AccountKey"}=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;`,
    ],
    [
      "docs.ts",
      `/** For example: -----BEGIN RSA PRIVATE ${"KEY"}----- MIIEpQIBAAKCAQEAu${"yf/lNrH9ck8DmNyo".repeat(3)}. -----END */`,
    ],
    ["app.py", `AWS_ACCESS_KEY_ID = "${KEYS.id}"`],
  ];
  for (const [path, text] of harmless) {
    it(`a secret is not ${path} with ${JSON.stringify(text.slice(0, 30))}`, async () => {
      assert.deepEqual(await found({ [path]: text }), []);
    });
  }

  it("a secret is not what a package was published with", async () => {
    const distributions = [{ info: "tornado-6.4.dist-info", record: "tornado/test/test.key,,\n" }];
    const files = { "tornado/test/test.key": KEY, "node_modules/x/test/server.key": KEY };
    assert.deepEqual(await found(files, { distributions }), []);
  });

  it("a secret is in no file of this project's own dependencies, were they the app's", async () => {
    const root = fileURLToPath(new URL("../../../node_modules", import.meta.url));
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.ok(files.length > 1000);
    const found = files.flatMap(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const { size } = statSync(path);
      return mayHoldSecret(name, size) ? (secretIn(name, size, readFileSync(path, "utf8")) ?? []) : [];
    });
    assert.deepEqual(found, []);
  });

  it("a secret is not in a file too large to be one, which is not read", async () => {
    const collection = collectionOf([fileOf("data.key", 2 * 1024 * 1024)]);
    assert.deepEqual(await findSecrets(collection, () => assert.fail("read")), []);
  });

  it("a secret is behind a link whose name says so, of a file that is packed", async () => {
    const link = (path: string, target: string): SourceFile => ({
      path,
      entry: { kind: "symlink", path: `var/task/${path}`, target },
    });
    const collection = collectionOf([
      link("app/.env", "../settings.txt"),
      link("old/.env", "../nothing"),
      link("public.pem", "settings.txt"),
      fileOf("settings.txt", 10),
    ]);
    assert.deepEqual(await findSecrets(collection, async () => "A=1"), [
      { path: "app/.env", what: "environment variables" },
    ]);
  });

  it("a secret is looked for in at most 64 MB of text", async () => {
    const files = Array.from({ length: 200 }, (_, index) => fileOf(`src/module-${index}.js`, 1_000_000));
    let reads = 0;
    await findSecrets(collectionOf(files), async () => {
      reads += 1;
      return "";
    });
    assert.equal(reads, 68);
  });

  it("a secret is looked for in linear time, whatever the text", { timeout: 60_000 }, () => {
    for (const part of [
      "-----BEGIN RSA ",
      "-----BEGIN PRIVATE KEY-----",
      "AKIA",
      "xoxb-1-",
      "npm_a",
      "password = ",
      "a:b:c:",
      "BUNDLE_A__B: ",
    ])
      for (const path of [
        "a.js",
        ".kube/config",
        ".pgpass",
        ".bundle/config",
        "x.tfvars",
        ".npmrc",
        "settings.xml",
      ])
        secretIn(path, 1_000_000, part.repeat(1_000_000 / part.length));
  });
});

describe("the error of secrets", () => {
  it("names each with what it is, and the two ways on", () => {
    const { code, message, hint } = secretError([
      { path: ".env", what: "environment variables" },
      { path: "id_rsa", what: "an SSH key" },
    ]);
    assert.equal(code, "SECRET_FOUND");
    assert.match(message, /"\.env" \(environment variables\), "id_rsa" \(an SSH key\)$/);
    assert.match(hint ?? "", /\.lambdaignore.*--allow-secret \.env/);
  });

  it("names five of many", () => {
    const findings = Array.from({ length: 7 }, (_, index) => ({
      path: `${index}.key`,
      what: "a private key",
    }));
    assert.match(secretError(findings).message, /"4\.key" \(a private key\) and 2 more$/);
  });
});
