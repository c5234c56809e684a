/**
 * Reads the part of YAML that everybody reads alike: mappings, lists and scalars. What makes two
 * readers see two documents, or a small document a big one, is refused: anchors, aliases, tags,
 * merge keys, directives, explicit and duplicate keys, more than one document, and characters that
 * do not show.
 *
 * @module
 */
import { Composer, CST, Lexer, type ParsedNode, Parser } from 'yaml'
import { type PositionOf, positionsOf } from './position.ts'
import type { Problem } from './problem.ts'
import { quote } from './quote.ts'
import { refuseHidden } from './yaml-characters.ts'
import { Refusal } from './yaml-refusal.ts'
import { buildTree, type YamlNode } from './yaml-tree.ts'

interface YamlLimits {
  /** 64 KiB by default. */
  readonly maxBytes?: number
  /** How many mappings and lists may lie in one another: 16 by default. */
  readonly maxDepth?: number
}

export type YamlReading =
  | { readonly root: YamlNode; readonly position: PositionOf; readonly problem?: never }
  | { readonly root?: never; readonly position?: never; readonly problem: Problem }

/** The limit of a policy, in bytes, and of a file of settings. */
export const DOCUMENT_BYTES_MAX = 65_536

/** Bounds the work, whatever the shape of a document. People use one for every three bytes. */
const LEXEMES_MAX = 32_768

/**
 * Reads the one document in `text`; answers the first problem when it cannot be read strictly. A
 * document with nothing in it is null.
 */
export function readYaml(text: string, limits: YamlLimits = {}): YamlReading {
  const { maxBytes = DOCUMENT_BYTES_MAX, maxDepth = 16 } = limits
  // Some editors write a byte order mark, which no user sees.
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  const position = positionsOf(source)
  try {
    refuseSize(source, maxBytes)
    refuseHidden(source)
    return { root: buildTree(compose(source, maxDepth), position), position }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { message, hint, offset } = error
    return { problem: { ...position(offset), message, ...(hint !== undefined && { hint }) } }
  }
}

function refuseSize(source: string, maxBytes: number): void {
  const bytes = Buffer.from(source)
  if (bytes.length <= maxBytes) return
  // A character that is cut in two decodes to one that is not there: hence the minimum.
  const offset = Math.min(bytes.subarray(0, maxBytes).toString().length, source.length - 1)
  throw new Refusal(offset, `the document is larger than ${maxBytes} bytes`, 'make it shorter')
}

function compose(source: string, maxDepth: number): ParsedNode | null {
  // Duplicate keys are found when the tree is built: the library compares each key with all others.
  const composer = new Composer({ schema: 'core', merge: false, uniqueKeys: false })
  failFast(composer)
  const documents = []
  for (const token of parse(source, maxDepth)) {
    if (token.type === 'error') {
      throw new Refusal(token.offset, `unexpected ${quote(token.source)}`)
    }
    documents.push(...composer.next(token))
  }
  documents.push(...composer.end())

  const [document] = documents
  const [error] = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])
  if (error !== undefined) throw syntaxRefusal(error.pos[0], error.code, error.message)
  return document?.contents ?? null
}

/** Parses what {@link lex} lets through, one lexeme at a time, until it is too deep. */
function* parse(source: string, maxDepth: number): Generator<CST.Token> {
  const parser = new Parser()
  for (const lexeme of lex(source)) {
    const { offset } = parser
    yield* parser.next(lexeme)
    if (parser.stack.length > maxDepth && depthOf(parser.stack) > maxDepth) {
      throw new Refusal(offset, `mappings and lists lie more than ${maxDepth} deep in one another`)
    }
  }
  yield* parser.end()
}

/** All lexemes of `source`, so that a document that is refused here costs no parsing. */
function lex(source: string): string[] {
  const lexemes: string[] = []
  let offset = 0
  let isText = false
  let isStarted = false
  for (const lexeme of new Lexer().lex(source)) {
    // What follows the mark of a scalar is its text, whatever it looks like.
    const type: CST.TokenType | null = isText ? null : CST.tokenType(lexeme)
    if (type === 'doc-start' && isStarted) {
      throw new Refusal(offset, 'only one document is allowed', 'remove the line ---')
    }
    refuseLexeme(lexeme, type, offset)
    lexemes.push(lexeme)
    if (lexemes.length > LEXEMES_MAX) {
      throw new Refusal(
        offset,
        `the document has more than ${LEXEMES_MAX} parts`,
        'make it shorter',
      )
    }
    isText = type === 'scalar'
    isStarted ||= !isBlank(type)
    // The lexer's marks are no part of the source.
    if (!isText && type !== 'doc-mode' && type !== 'flow-error-end') offset += lexeme.length
  }
  return lexemes
}

/** What may stand before the only `---`. */
function isBlank(type: CST.TokenType | null): boolean {
  return type === 'space' || type === 'newline' || type === 'comment' || type === 'doc-mode'
}

function depthOf(stack: readonly CST.Token[]): number {
  return stack.filter((token) => 'items' in token).length
}

function refuseLexeme(lexeme: string, type: CST.TokenType | null, offset: number): void {
  switch (type) {
    case 'alias':
      throw new Refusal(offset, 'aliases are not allowed', `quote a pattern: "${lexeme}"`)
    case 'anchor':
      throw new Refusal(offset, 'anchors are not allowed', 'write the value out where it is used')
    case 'tag':
      throw new Refusal(offset, 'tags are not allowed', 'quote a value that must be text')
    case 'directive-line':
      throw new Refusal(offset, 'directives are not allowed', 'remove the line')
    case 'doc-end':
      throw new Refusal(offset, 'only one document is allowed', 'remove the line ...')
    case 'explicit-key-ind':
      throw new Refusal(offset, 'explicit keys are not allowed', 'write key: value')
    case 'flow-error-end':
      throw new Refusal(
        offset,
        'a list or mapping in brackets is still open here',
        'close it, or indent its lines',
      )
    default:
  }
}

/**
 * Makes the composer throw its first error. It would collect all of them, a stack trace with each:
 * 0.3 s for 64 KB of commas. Should the member be called otherwise one day, `compose` still looks
 * at what was collected.
 */
function failFast(composer: Composer): void {
  let first: Refusal | undefined
  Object.assign(composer, {
    onError(source: ErrorSource, code: string, message: string) {
      // The composer reports what it caught once more, at the collection around: not that.
      first ??= syntaxRefusal(offsetOf(source), code, message)
      throw first
    },
  })
}

type ErrorSource = number | { readonly offset: number } | readonly [number, ...unknown[]]

function offsetOf(source: ErrorSource): number {
  if (typeof source === 'number') return source
  return 'offset' in source ? source.offset : source[0]
}

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'indent the keys of one mapping alike, and the items of one list',
  BAD_SCALAR_START: 'quote the value',
  BLOCK_AS_IMPLICIT_KEY: 'quote a value that holds ": ", and indent the next line like this one',
  MISSING_CHAR: 'look for a missing quote, comma or bracket, and at the indentation',
  TAB_AS_INDENT: 'indent with spaces',
}

function syntaxRefusal(offset: number, code: string, message: string): Refusal {
  return new Refusal(offset, plainWords(message), SYNTAX_HINTS[code])
}

/** The library's words in the house's manner; some end in as much of the document as there is. */
function plainWords(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1, 100)
}
