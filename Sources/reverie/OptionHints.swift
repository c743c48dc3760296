import Painting

/// Options of other programs of this kind, and what stands for them here.
enum OptionHints {
  /// What to use instead of an option; nil where nothing is known.
  /// - Parameter name: without its dashes, with hyphens.
  static func hint(for name: String) -> String? {
    table.first { $0.names.contains(name) || $0.names.contains(name.lowercased()) }?.hint
  }

  private static let table: [(names: Set<String>, hint: String)] = [
    (
      [
        "steps", "num-steps", "inference-steps", "num-inference-steps", "ddim-steps", "iter",
        "iters",
        "max-iterations", "epochs",
      ],
      "Use --iterations."
    ),
    (
      ["width", "height", "W", "w", "H", "image-size", "resolution", "res", "dimensions"],
      "Use --size WIDTHxHEIGHT, as in --size 320x200."
    ),
    (
      ["negative", "neg", "neg-prompt", "uc"],
      "Use --negative-prompt, or a negative weight: \"a fox | blurry:-0.5\"."
    ),
    (["style", "styles", "quality"], "Use --preset; reverie presets lists the names."),
    (
      ["cfg", "cfg-scale", "C", "guidance-scale", "classifier-free-guidance"],
      "Use --condition-scale, of \(methods("conditionScale"))."
    ),
    (
      ["sampler", "sampler-name", "sampling-method", "scheduler", "A"],
      "Use --sampler, of \(methods("sampler")); reverie explain METHOD lists the names."
    ),
    (
      [
        "num-images", "num-outputs", "batch-size", "batch-count", "batch", "n", "n-iter",
        "n-samples", "samples", "number", "images", "b",
      ],
      "Use --count."
    ),
    (
      ["strength", "denoising-strength", "denoise", "init-strength", "skip-steps"],
      "Use --init-image FILE --start, of \(methods("start"))."
    ),
    (["lr", "step-size", "stepsize"], "Use --learning-rate."),
    (["cutn", "cut-n", "num-cuts", "ncuts"], "Use --cutouts."),
    (
      ["init", "init-img", "input", "input-image", "image", "img", "img2img", "I", "start-image"],
      "Use --init-image."
    ),
    (
      ["ckpt", "checkpoint", "model-path", "model-id", "model-name", "config", "conf"],
      "Install it with reverie models add FILE, then use --model."
    ),
    (
      ["out", "out-dir", "output-dir", "output-path", "outpath", "save-path", "save-dir", "d"],
      "Use --outdir for a folder, --output for a file."
    ),
    (["gpu", "cuda", "cpu", "no-cuda", "cuda-device"], "Use --device cpu, cuda or cuda:1."),
    (["S", "random-seed"], "Use --seed."),
    (["video", "animate", "zoom"], "Films are painted by: reverie film KIND PROMPT"),
    (["upscale", "upscaler"], "Finished pictures are enlarged by: reverie upscale FILE"),
  ]

  /// The methods that take an argument.
  private static func methods(_ argument: String) -> String {
    Registry.builtIn.methods(taking: argument).map(\.rawValue).joined(separator: ", ")
  }
}
