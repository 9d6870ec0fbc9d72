import { createRequire } from "node:module";

export interface Token {
  type: string;
  content: string;
  attrs: [string, string][] | null;
  children: Token[] | null;
}
interface MarkdownIt {
  parse(text: string, env: object): Token[];
  render(text: string): string;
  validateLink: (link: string) => boolean;
}
// A reader of Markdown that makes links of bare addresses too, as editors do, and trusts every scheme.
const MarkdownIt: new (options: object) => MarkdownIt = createRequire(import.meta.url)("markdown-it");
export const reader = new MarkdownIt({ linkify: true, html: true });
reader.validateLink = () => true;

/** All tokens of a document, those inside others too. */
export function tokensOf(markdown: string): Token[] {
  return reader.parse(markdown, {}).flatMap((token) => [token, ...(token.children ?? [])]);
}
