import Models
import Torch

/// Draws with the decoder of a VQGAN from codes drawn by chance: the parameters are the codes' logits,
/// and the gradient passes straight through the draw to their probabilities (the notebook "VQGAN+CLIP
/// (codebook sampling)" of Crowson).
struct CodebookDrawer: Drawer {
  /// `[1, h, w, levels, K]`
  let logits: Tensor
  private let model: VQGAN
  private let seed: UInt64

  /// How much likelier the codes of a picture to begin from are, in logits.
  private static let certainty = 6.0

  init(_ model: VQGAN, _ context: PartContext) {
    self.model = model
    seed = context.seed
    let config = model.config
    let shape = [
      1, context.height / config.factor, context.width / config.factor, config.levels,
      config.n_embed,
    ]
    logits = context.stream("first codes").normal(shape).to(context.device).variable()
  }

  private static func logits(of picture: Tensor, _ model: VQGAN) -> Tensor {
    noGrad {
      let codes = model.quantize(model.encode(picture * 2 - 1)).codes  // [1, h, w, levels]
      return oneHot(codes, count: model.config.n_embed) * certainty
    }
  }

  var parameters: [Tensor] { [logits] }

  var drawsByChance: Bool { true }

  func render(_ iteration: Int?) -> Tensor {
    let stream = iteration.map { RandomStream(seed: seed, "codes \($0)") }
    let (codes, probabilities) = drawCodes(logits, stream)
    let z = model.lookUp(codes).detached().straightThrough(
      to: model.lookUp(probabilities: probabilities))
    return (model.decode(z) + 1) / 2
  }

  func confined(_ gradients: [Tensor], to region: Tensor) -> [Tensor]? {
    let (h, w) = (logits.size(1), logits.size(2))
    let inside = region.resampled(h, w, .bilinear, antialias: true).reshaped(1, h, w, 1, 1)
    return gradients.map { $0 * inside }
  }

  func begin(from picture: Tensor) -> Bool {
    noGrad { logits.assign(Self.logits(of: picture, model)) }
    return true
  }
}

/// Codes by their logits: drawn with the stream, or the likeliest without one.
/// - Parameter logits: `[…, K]`
/// - Returns: the codes `[…]`, int64, and the probabilities `[…, K]` with history.
func drawCodes(_ logits: Tensor, _ stream: RandomStream?) -> (codes: Tensor, probabilities: Tensor)
{
  let probabilities = logits.softmax(over: -1)
  let codes = noGrad {
    guard let stream else { return logits.argmax(over: -1) }
    let rows = probabilities.detached().to(.cpu).reshaped(-1, logits.size(-1))
    // From weights that are no numbers; the loss then is none either, which ends the painting.
    guard rows.sum().item().isFinite else { return logits.argmax(over: -1) }
    return stream.choose(byWeight: rows).to(logits.device).reshaped(Array(logits.shape.dropLast()))
  }
  return (codes, probabilities)
}

/// 1 at each code, 0 elsewhere: `[…]` to `[…, count]`, float32.
func oneHot(_ codes: Tensor, count: Int) -> Tensor {
  Tensor.arange(0..<count, device: codes.device).equals(codes.unsqueezed(-1)).to(.float32)
}
