// run_onnx.js MODEL.onnx IMAGES COUNT CHANNELS HEIGHT WIDTH [float32|float64]: what onnxruntime makes of images (a file of bytes, or of such
// numbers), as JSON: each output by its name. NODE_PATH: where onnxruntime-node is.
const fs = require('fs');
const runtime = require('onnxruntime-node');

async function main() {
  const [model, path, count, channels, height, width, type = 'uint8'] = process.argv.slice(2);
  const shape = [count, channels, height, width].map(Number);
  const numbers = { uint8: Uint8Array, float32: Float32Array, float64: Float64Array }[type];
  const session = await runtime.InferenceSession.create(model);
  const bytes = fs.readFileSync(path);
  const images = new runtime.Tensor(type, new numbers(new Uint8Array(bytes).buffer), shape);
  const results = await session.run({ images });
  const plain = {};
  for (const name of Object.keys(results)) plain[name] = { shape: results[name].dims, values: Array.from(results[name].data, Number) };
  console.log(JSON.stringify(plain));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
