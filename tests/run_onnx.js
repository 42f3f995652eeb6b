// run_onnx.js MODEL.onnx IMAGES COUNT CHANNELS HEIGHT WIDTH: what onnxruntime makes of images (a file of bytes), as JSON: each output by its
// name. NODE_PATH: where onnxruntime-node is.
const fs = require('fs');
const runtime = require('onnxruntime-node');

async function main() {
  const [model, path, ...shape] = process.argv.slice(2);
  const session = await runtime.InferenceSession.create(model);
  const images = new runtime.Tensor('uint8', new Uint8Array(fs.readFileSync(path)), shape.map(Number));
  const results = await session.run({ images });
  const plain = {};
  for (const name of Object.keys(results)) plain[name] = { shape: results[name].dims, values: Array.from(results[name].data, Number) };
  console.log(JSON.stringify(plain));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
