import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import { realmTrust } from "../../../../src/registry/auth/realm.ts";
import { addressKind, followLocation, schemeOf } from "../../../../src/registry/http/address.ts";
import { createHttp } from "../../../../src/registry/http/http.ts";
import { checkLiteral, guardedLookup, refusalReasonResolved } from "../../../../src/registry/http/lookup.ts";
import { portOf } from "../../../../src/registry/http/proxy.ts";
import { corpus } from "../../../support/corpora.ts";

interface Input {
  readonly realm: string;
  readonly registryHost: string;
  readonly insecure: boolean;
  readonly requestHost: string;
  readonly location: string;
  readonly fromHost: string;
  readonly to: string;
  readonly address: string;
  readonly scheme: string;
  readonly requestUrl: string;
}

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly input: Input;
  readonly expect: { readonly allowed: boolean; readonly hostPort: string; readonly url: string };
}

/** Domains below which hosts of different owners stand side by side. */
const HOSTING = [
  ...[
    "web.app",
    "firebaseapp.com",
    "pages.dev",
    "workers.dev",
    "r2.dev",
    "vercel.app",
    "netlify.app",
    "onrender.com",
  ],
  ...[
    "fly.dev",
    "eastus.cloudapp.azure.com",
    "azurewebsites.net",
    "azurestaticapps.net",
    "azurefd.net",
    "azureedge.net",
  ],
  ...[
    "blob.core.windows.net",
    "trafficmanager.net",
    "eastus.azurecontainer.io",
    "happy.eastus.azurecontainerapps.io",
  ],
  ...[
    "github.io",
    "gitlab.io",
    "bitbucket.io",
    "codeberg.page",
    "app.github.dev",
    "gitpod.io",
    "csb.app",
    "stackblitz.io",
  ],
  ...[
    "a.run.app",
    "appspot.com",
    "storage.googleapis.com",
    "herokuapp.com",
    "cloudfront.net",
    "s3.amazonaws.com",
  ],
  ...[
    "dkr.ecr.eu-west-1.amazonaws.com",
    "compute-1.amazonaws.com",
    "us-east-1.elb.amazonaws.com",
    "elasticbeanstalk.com",
  ],
  ...[
    "execute-api.us-east-1.amazonaws.com",
    "lambda-url.us-east-1.on.aws",
    "us-east-1.awsapprunner.com",
    "amplifyapp.com",
  ],
  ...[
    "ngrok.io",
    "ngrok.app",
    "ngrok.dev",
    "ngrok-free.app",
    "trycloudflare.com",
    "loca.lt",
    "lhr.life",
    "devtunnels.ms",
  ],
  ...[
    "nip.io",
    "sslip.io",
    "duckdns.org",
    "ddns.net",
    "eu.org",
    "azurecr.io",
    "pkg.dev",
    "jfrog.io",
    "cloudsmith.io",
  ],
  ...[
    "up.railway.app",
    "ondigitalocean.app",
    "nyc3.digitaloceanspaces.com",
    "deno.dev",
    "surge.sh",
    "replit.app",
    "koyeb.app",
  ],
  ...[
    "hf.space",
    "streamlit.app",
    "supabase.co",
    "blogspot.com",
    "myshopify.com",
    "pythonanywhere.com",
    "amazonaws.com.cn",
  ],
  ...["glitch.me", "kinsta.app", "b-cdn.net", "fastly.net", "tencentcloudcr.com"],
];

/** Where we decide otherwise, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  // A token server on another port of the same machine is how distribution is set up locally (docker_auth); a blanket
  // refusal of private realms broke users (ggcr#2258), so a loopback registry may name loopback realms.
  "registry-http/065": "a loopback registry may have its token server on another loopback port",
};

const table = corpus<Case>("registry-http");
const casesOf = (kind: string) =>
  table.cases.filter((one) => one.kind === kind && OTHERWISE[one.id] === undefined);

/** ggcr's tables give hosts; theirs are spoken to over http where the test says insecure, or the target is http. */
function registryAt(host: string, insecure: boolean): URL {
  return new URL(`${insecure ? "http" : "https"}://${host}/`);
}

describe("ggcr's tables", () => {
  for (const { id, input, expect } of casesOf("token-realm-allowed")) {
    it(`${id}: the realm ${input.realm} of ${input.registryHost}`, async () => {
      const [realm, registry] = [new URL(input.realm), registryAt(input.registryHost, input.insecure)];
      const trust = await realmTrust(realm, registry);
      const isAsked = trust.send !== "nothing" && (await isAllowed(realm.href, registry));
      assert.equal(isAsked, expect.allowed);
    });
  }

  for (const { id, input, expect } of casesOf("upload-Location-allowed")) {
    it(`${id}: the Location ${input.location} of ${input.requestHost}`, async () => {
      const registry = registryAt(input.requestHost, input.location.startsWith("http:"));
      assert.equal(await isAllowed(input.location, registry), expect.allowed);
    });
  }

  for (const { id, input, expect } of casesOf("redirect-allowed")) {
    it(`${id}: a redirect from ${input.fromHost} to ${input.to}`, async () => {
      assert.equal(
        await isAllowed(input.to, registryAt(input.fromHost, input.to.startsWith("http:"))),
        expect.allowed,
      );
    });
  }

  for (const { id, input, expect } of casesOf("upload-Location-resolve")) {
    it(`${id}: the Location ${input.location}`, () => {
      const registry = new URL(input.requestUrl);
      assert.equal(followLocation(input.location, registry, registry).href, expect.url);
    });
  }

  // An IPv6 address without brackets is not the host of any URL, and a reference cannot name one.
  for (const { id, input, expect } of casesOf("canonical-host-port").filter(
    ({ input: one }) => one.address !== "2001:db8::1",
  )) {
    it(`${id}: ${input.scheme}://${input.address} is at ${expect.hostPort}`, () => {
      const url = new URL(`${input.scheme}://${input.address}`);
      assert.equal(`${url.hostname}:${portOf(url)}`, expect.hostPort);
    });
  }
  // foreign-layer-URL-allowed: not applicable, no URL of a foreign layer is ever fetched (oci/resolve.ts refuses such images).
  // scope-merge, action-merge, token-response-body: registry-auth.test.ts. All other kinds: the protocol's tests.
});

/** Resolves a Location and checks it as the client does before it sends a request there. */
async function follow(location: string, asked: URL, registry: URL): Promise<URL> {
  const target = followLocation(location, asked, registry);
  await checkLiteral({ target, registry, privateHosts: [] }, false);
  return target;
}

function isAllowed(location: string, registry: URL): Promise<boolean> {
  return follow(location, registry, registry).then(
    () => true,
    () => false,
  );
}

describe("an address", () => {
  const kinds: Readonly<Record<string, readonly string[]>> = {
    public: [
      ...["192.0.1.1", "192.0.2.1", "198.17.255.255", "198.20.0.1", "2001:200::1", "2001:4860:4860::8888"],
      ...["8.8.8.8", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "172.32.0.1", "100.128.0.1"],
    ],
    private: [
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "100.64.0.1",
      "fd12::1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "2002:a00:1::1",
      ...["100.127.255.255", "198.18.0.1", "198.19.255.255", "fc00::1", "::10.0.0.1", "::ffff:0:10.0.0.1"],
    ],
    loopback: [
      ...["::127.0.0.1", "::ffff:0:127.0.0.1", "2002:7f00:1::"],
      ...["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1"],
    ],
    forbidden: [
      ...[
        "169.254.169.254",
        "0.0.0.0",
        "::",
        "fe80::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
      ],
      ...[
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "2002:a9fe:a9fe::1",
        "64:ff9b:1::a9fe:a9fe",
      ],
      ...["0.1.2.3", "192.0.0.1", "192.0.0.192", "192.88.99.1", "240.0.0.1", "239.255.255.255"],
      ...["::2", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "febf::1", "fec0::1", "feff::1", "fe00::1"],
      ...["2001::1", "2001:0:a00:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "5f00::1", "4000::1"],
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses)
      it(`${address} is ${kind}`, () => assert.equal(addressKind(address), kind));
  }
});

describe("a Location", () => {
  const registry = new URL("https://registry.example.com/");
  const upload = new URL("/v2/app/blobs/uploads/", registry);

  it("a Location is resolved against what was asked, its query kept as it is", () => {
    const url = followLocation("../x?_state=a%2Bb==&c", upload, registry);
    assert.equal(url.href, "https://registry.example.com/v2/app/blobs/x?_state=a%2Bb==&c");
  });

  it("may name another public host over https", () => {
    assert.equal(
      followLocation("https://bucket.s3.example.net/x", upload, registry).host,
      "bucket.s3.example.net",
    );
  });

  const refused: Readonly<Record<string, string>> = {
    "https to http": "http://registry.example.com/v2/",
    "another scheme": "file:///etc/passwd",
    "no URL": "https://",
    "a user name": "https://user:pass@other.example.com/",
    "a private address": "https://10.0.0.1/",
    "loopback by name": "https://localhost/",
    "loopback below localhost": "https://a.localhost/",
    "loopback written as a number": "https://2130706433/",
    "loopback in hex": "https://0x7f.1/",
    "a metadata address": "https://169.254.169.254/latest/meta-data/",
    "a metadata address mapped into IPv6": "https://[::ffff:169.254.169.254]/",
    "a metadata name": "https://metadata.google.internal/",
    "a metadata name with a dot": "https://metadata.google.internal./",
    "the unspecified address": "https://0.0.0.0/",
  };
  for (const [what, location] of Object.entries(refused)) {
    it(`a Location is refused for ${what}`, async () => {
      await assert.rejects(follow(location, upload, registry), { code: "REGISTRY_ANSWER" });
    });
  }

  it("may be private when the registry is", () => {
    const at = new URL("http://127.0.0.1:5000/");
    assert.equal(followLocation("http://127.0.0.1:9000/blob", at, at).port, "9000");
    const lan = new URL("https://10.0.0.5/");
    assert.equal(followLocation("https://10.0.0.6/blob", lan, lan).hostname, "10.0.0.6");
  });

  it("may not be a metadata address even when the registry is private", () => {
    const at = new URL("http://127.0.0.1:5000/");
    assert.throws(() => followLocation("http://169.254.169.254/", at, at), { code: "REGISTRY_ANSWER" });
  });

  it("of a second hop may not go back to http either", () => {
    const insecure = new URL("http://127.0.0.1:5000/");
    assert.throws(() => followLocation("http://127.0.0.1/", new URL("https://127.0.0.1/"), insecure), {
      code: "REGISTRY_ANSWER",
    });
  });

  it("a refused Location shows no secret", async () => {
    await assert.rejects(follow("https://10.0.0.1/?sig=c4nary", upload, registry), (error: Error) => {
      return !error.message.includes("c4nary");
    });
  });
});

describe("a realm", () => {
  const trusted: readonly (readonly [string, string, string])[] = [
    ["https://auth.docker.io/token", "https://registry-1.docker.io", "credentials"],
    ["https://gitlab.com/jwt/auth", "https://registry.gitlab.com", "credentials"],
    ["https://public.ecr.aws/token/", "https://public.ecr.aws", "credentials"],
    ["https://registry.example.com:8443/token", "https://registry.example.com", "credentials"],
    ["https://auth.example.co.uk/token", "https://registry.example.co.uk", "credentials"],
    ["http://127.0.0.1:5001/token", "http://127.0.0.1:5000", "credentials"],
    ["http://localhost:5001/token", "http://localhost:5000", "credentials"],
    ["http://localhost:5001/token", "http://127.0.0.1:5000", "anonymous"],
    ["https://10.0.0.6/token", "https://10.0.0.5", "anonymous"],
    ["https://[2001:db8::2]/token", "https://[2001:db8::1]", "anonymous"],
    ["https://auth/token", "https://registry", "anonymous"],
    ["https://auth.corp.internal/token", "https://registry.corp.internal", "credentials"],
    ["https://auth.mine.web.app/token", "https://registry.mine.web.app", "credentials"],
    ["https://auth.example.com./token", "https://registry.example.com", "credentials"],
    ["https://mine.jfrog.io/token", "https://mine.jfrog.io", "credentials"],
    ["https://evil.com/token", "https://com", "anonymous"],
    ["https://ghcr.io/token", "https://lscr.io", "anonymous"],
    ["https://evil.example.net/token", "https://registry.example.com", "anonymous"],
    ["https://evil.co.uk/token", "https://registry.example.co.uk", "anonymous"],
    [
      "https://evil.s3.amazonaws.com/token",
      "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
      "anonymous",
    ],
    ["https://evil.azurecr.io/token", "https://mine.azurecr.io", "anonymous"],
    ["https://notexample.com/token", "https://registry.example.com", "anonymous"],
    ["http://registry.example.com/token", "https://registry.example.com", "nothing"],
    ["https://user@registry.example.com/token", "https://registry.example.com", "nothing"],
    ["http://169.254.169.254/token", "http://127.0.0.1:5000", "nothing"],
  ];
  for (const [realm, registry, send] of trusted) {
    it(`${realm} of ${registry} may be sent ${send}`, async () => {
      assert.equal((await realmTrust(new URL(realm), new URL(registry))).send, send);
    });
  }

  for (const domain of HOSTING) {
    it(`that a stranger has below ${domain} is not sent the credentials of a registry there`, async () => {
      const registry = new URL(`https://registry.${domain}`);
      for (const host of [`evil.${domain}`, `auth.evil.${domain}`]) {
        const trust = await realmTrust(new URL(`https://${host}/token`), registry);
        assert.deepEqual([host, trust.send], [host, "anonymous"]);
      }
    });
  }
});

describe("a name that resolves", () => {
  it("to a private address is refused unless the registry's does", () => {
    assert.match(refusalReasonResolved(["10.0.0.1"], ["8.8.8.8"]) ?? "", /private/);
    assert.equal(refusalReasonResolved(["10.0.0.1"], ["10.0.0.2"]), undefined);
    assert.equal(refusalReasonResolved(["10.0.0.1"], ["127.0.0.1"]), undefined);
    assert.match(refusalReasonResolved(["127.0.0.1"], ["10.0.0.2"]) ?? "", /loopback/);
  });

  it("to several addresses is refused for any bad one", () => {
    assert.match(refusalReasonResolved(["8.8.8.8", "169.254.169.254"], ["10.0.0.1"]) ?? "", /link-local/);
  });

  it("a name that resolves is checked in the very lookup the connection uses", async () => {
    const found = await new Promise((done) => {
      guardedLookup({
        target: new URL("https://rebound.example.net/"),
        registry: new URL("https://8.8.8.8/"),
        privateHosts: [],
      })("localhost", { all: true }, done);
    });
    assert.match(String(found), /rebound\.example\.net.*refused: its name resolves to .*loopback/);
  });

  it("to a loopback address may be connected to when the registry's own name does", async () => {
    const found = await new Promise((done) => {
      const look = guardedLookup({
        target: new URL("http://auth.test/"),
        registry: new URL("http://localhost:5000/"),
        privateHosts: [],
      });
      look("localhost", { all: true }, (error, addresses) => done(error ?? addresses));
    });
    assert.equal(Array.isArray(found), true);
  });

  it("a host that the user allows may have a private address, but no metadata service's", () => {
    assert.equal(refusalReasonResolved(["10.0.0.7"], ["8.8.8.8"], true), undefined);
    assert.match(refusalReasonResolved(["169.254.169.254"], ["8.8.8.8"], true) ?? "", /link-local/);
  });

  it("a public registry may lead to a private address only where the user allows it", async () => {
    const target = new URL("https://10.9.9.2/");
    const guarded = { target, registry: new URL("https://8.8.8.8/"), privateHosts: [] };
    await assert.rejects(checkLiteral(guarded, false), {
      code: "REGISTRY_ANSWER",
      hint: /--allow-private 10/,
    });
    await checkLiteral({ ...guarded, privateHosts: ["10.9.9.2"] }, false);
  });

  it("a registry by name at a private address may lead to another private address", async (t) => {
    const registry = new URL(`https://${hostname()}/`);
    const own = await lookup(hostname()).catch(() => undefined);
    if (!own || addressKind(own.address) !== "private") return t.skip("this machine's name is not private");
    await checkLiteral({ target: new URL("https://10.9.9.2/"), registry, privateHosts: [] }, false);
  });

  it("needs no resolving when it is an address: nothing is sent there", async (t) => {
    const http = createHttp({ environment: {} });
    t.after(() => http.close());
    const from = new URL("https://registry.example.com/");
    const asked = http.send({ method: "GET", url: new URL("https://127.0.0.1:1/"), from });
    await assert.rejects(asked, { code: "REGISTRY_ANSWER", message: /loopback/ });
  });

  const own = hostname();
  it("to this machine is not connected to when a public registry names it", async (t) => {
    const address = await lookup(own).catch(() => undefined);
    if (!address || addressKind(address.address) === "public")
      return t.skip(`${own} has no private address here`);
    const http = createHttp({ environment: {} });
    t.after(() => http.close());
    const asked = http.send({
      method: "GET",
      url: new URL(`https://${own}:1/`),
      from: new URL("https://8.8.8.8/"),
    });
    await assert.rejects(asked, { code: "REGISTRY_ANSWER" });
  });
});

describe("the scheme of a registry", () => {
  for (const host of [
    "localhost",
    "localhost:5000",
    "127.0.0.1:5000",
    "127.1.2.3",
    "[::1]:5000",
    "registry.localhost",
  ]) {
    it(`${host} is spoken to over http`, () => assert.equal(schemeOf(host), "http:"));
  }
  for (const host of [
    "10.0.0.1:5000",
    "registry.local",
    "localhost.example.com",
    "[fd00::1]:5000",
    "docker.io",
  ]) {
    it(`${host} is spoken to over https`, () => assert.equal(schemeOf(host), "https:"));
  }
  it("the scheme of a registry is http for one that was named, with its port or for all of them", () => {
    assert.equal(schemeOf("10.0.0.1:5000", ["10.0.0.1:5000"]), "http:");
    assert.equal(schemeOf("10.0.0.1:5000", ["10.0.0.1"]), "http:");
    assert.equal(schemeOf("10.0.0.1:5000", ["10.0.0.1:5001"]), "https:");
  });
});
