// Prints what the official parser finds wrong with an AsyncAPI document, a line each.
import { fromFile, Parser } from '@asyncapi/parser'

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse()
const wrong = diagnostics.filter(({ severity }) => severity < 2) // errors and warnings
for (const { path, code, message } of wrong) console.log(`${path.join('.')}: ${code}: ${message}`)
if (wrong.length === 0) {
  console.log(`${document.channels().length} channels, ${document.messages().length} messages`)
}
