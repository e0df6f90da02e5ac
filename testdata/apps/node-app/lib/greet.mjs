export function greet(name) {
  return `Grüße an ${name}`;
}
