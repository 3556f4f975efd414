export function greet(name) {
  return `Hello, ${name}!`;
}

if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith('/greet.js')) {
  console.log(greet(process.argv[2] ?? 'world'));
}
