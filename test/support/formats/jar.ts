/** A zip of these files, stored, with its directory at its end (APPNOTE.TXT). A name alone is an empty file. */
export function jar(...names: readonly (string | readonly [name: string, content: Buffer])[]): Buffer {
  const contents = names.map((one) => (typeof one === "string" ? Buffer.alloc(0) : one[1]));
  const files = names.map((one) => Buffer.from(typeof one === "string" ? one : one[0]));
  const locals = files.map((name, index) =>
    Buffer.concat([header(LOCAL, name), name, contents[index] ?? Buffer.alloc(0)]),
  );
  let at = 0;
  const directory = files.map((name, index) => {
    const entry = Buffer.concat([header(CENTRAL, name, at, contents[index]?.length), name]);
    at += locals[index]?.length ?? 0;
    return entry;
  });
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

const LOCAL = { signature: 0x04034b50, length: 30, nameAt: 26 } as const;
const CENTRAL = { signature: 0x02014b50, length: 46, nameAt: 28 } as const;

function header(
  { signature, length, nameAt }: typeof LOCAL | typeof CENTRAL,
  name: Buffer,
  offset = 0,
  size = 0,
): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(signature, 0);
  bytes.writeUInt16LE(name.length, nameAt);
  if (signature !== CENTRAL.signature) return bytes;
  bytes.writeUInt32LE(size, 20);
  bytes.writeUInt32LE(offset, 42);
  return bytes;
}
