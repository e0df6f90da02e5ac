import { endOfLine, endOfQuote, matchEnd, Tokens } from "../tokens.ts";

const SPACE = /[ \t\r\f]+/y;
const WORD = /[\p{L}\p{N}_]+/uy;
const PREFIX = /^(?:[rbuft]|[rbft][rbft])$/i;
const OPERATOR = /(?:\*\*|\/\/|>>|<<|[=!<>:+\-*/%&|^@])=|->/y;

/**
 * Splits Python source into tokens without comments. `startsLine` is true for the first token of a
 * logical line: a line that continues inside brackets or after a backslash is part of the one
 * before. The time is linear in the source's length.
 */
export function pythonTokens(source: string): Tokens {
  const tokens = new Tokens(source);
  let isNewLine = true;
  let at = 0;
  while (at < source.length) {
    const character = source.charAt(at);
    if (character === "\n") {
      isNewLine ||= tokens.depth === 0;
      at += 1;
    } else if (character === "#") at = endOfLine(source, at);
    else if (character === "\\" && /\\\r?\n/y.test(source.slice(at, at + 3))) at = endOfLine(source, at) + 1;
    else {
      const end = matchEnd(SPACE, source, at) ?? addToken(tokens, source, at, isNewLine);
      isNewLine &&= matchEnd(SPACE, source, at) !== undefined;
      at = end;
    }
  }
  return tokens;
}

function addToken(tokens: Tokens, source: string, at: number, startsLine: boolean): number {
  const wordEnd = matchEnd(WORD, source, at);
  const isPrefix = wordEnd !== undefined && wordEnd - at <= 2 && PREFIX.test(source.slice(at, wordEnd));
  const quoteAt = wordEnd === undefined ? at : isPrefix ? wordEnd : undefined;
  if (quoteAt !== undefined && (source[quoteAt] === '"' || source[quoteAt] === "'")) {
    const quote = source.charAt(quoteAt);
    const isLong = source.startsWith(quote.repeat(3), quoteAt);
    const delimiter = isLong ? quote.repeat(3) : quote;
    const end = endOfQuote(source, quoteAt + delimiter.length, delimiter, isLong);
    tokens.add("string", at, end, startsLine);
    return end;
  }
  const end = wordEnd ?? matchEnd(OPERATOR, source, at) ?? at + 1;
  tokens.add(wordEnd === undefined ? "punctuation" : "word", at, end, startsLine);
  return end;
}
