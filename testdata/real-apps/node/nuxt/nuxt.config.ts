export default defineNuxtConfig({
  compatibilityDate: "2025-07-01",
  nitro: { preset: "aws-lambda" },
  telemetry: false,
});
