import Torch

/// A coarse picture of plain pixels that is optimised first, and from which the drawer then begins: whoever
/// draws by codes or strokes finds where things stand slowly, and pixels under a CLIP that can be climbed find it
/// in a few steps.
struct Sketch {
  /// Iterations until the drawer begins.
  let iterations: Int
  /// `[1, 3, h, w]` in 0…1
  let pixels: Tensor
  let optimizer: any Optimizer
  private let size: (width: Int, height: Int)

  /// The shorter side in pixels: what a small CLIP sees.
  private static let side = 64
  /// Of Adam.
  static let rate = 0.05

  /// Begins from grey with a little noise, or from the picture that is given.
  init(_ context: PipelineContext, iterations: Int) {
    self.iterations = iterations
    size = (context.size.width, context.size.height)
    let short = min(size.width, size.height)
    func scaled(_ full: Int) -> Int { max(1, full * min(Self.side, short) / short) }
    let (h, w) = (scaled(size.height), scaled(size.width))
    let noise = RandomStream(seed: context.seed, "sketch").normal([1, 3, h, w])
    let grey = (noise * 0.1 + 0.5).clamped(0, 1).to(context.device)
    pixels = (context.initial?.resampled(h, w, antialias: true) ?? grey).contiguous().cloned()
      .variable()
    optimizer = OptimizerName.adam.make([pixels], decay: nil)
  }

  /// The picture at its full size, `[1, 3, H, W]`.
  func render() -> Tensor { pixels.resampled(size.height, size.width) }

  /// A step down a gradient at the pixels.
  func step(_ gradient: Tensor) {
    optimizer.step([gradient], rate: Self.rate)
    noGrad { pixels.assign(pixels.clamped(0, 1)) }
  }
}
