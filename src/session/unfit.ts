import { LambdaPackError } from "../errors.ts";

const NEXT: Readonly<Record<string, string>> = {
  IMAGE_INVALID:
    "the image is damaged, or made by a tool that does not keep to the specification: push it there again, or take another one",
  IMAGE_UNSUPPORTED: "take an image with gzip layers, or convert this one",
  PLATFORM_NOT_FOUND: "choose another --arch, or an image that is built for it",
};

/** What is wrong with the documents of `image`: where they are read its name is not known. Everything else passes through. */
export function aboutImage(error: unknown, image: string): unknown {
  if (!(error instanceof LambdaPackError)) return error;
  const { code, message, hint, cause } = error;
  const next = NEXT[code];
  if (next === undefined || message.includes(image)) return error;
  return new LambdaPackError(code, `${image}: ${message}`, { hint: hint ?? next, cause });
}
