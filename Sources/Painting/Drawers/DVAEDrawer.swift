import Models
import Torch
import Weights

/// Draws with the decoder of DALL·E's dVAE: the parameters are logits of the codes, of which one is
/// drawn at each place while the gradient passes straight through to the probabilities (the notebook
/// "OpenAI dVAE + CLIP" of EleutherAI).
struct DVAEDrawer: Drawer {
  /// `[1, h, w, K]`
  let logits: Tensor
  private let decoder: DVAEDecoder
  private let encoder: DVAEEncoder?
  private let seed: UInt64
  private let draws: Bool

  /// - Throws: `StoreError` when a picture to begin from was given and there is no encoder.
  init(
    _ decoder: DVAEDecoder, _ encoder: DVAEEncoder?, _ config: DVAE.Config, _ setting: Setting
  ) throws {
    self.decoder = decoder
    self.encoder = encoder
    seed = setting.seed
    draws = setting.text("codes") != "likeliest"
    let start: Tensor
    if let picture = setting.initial {
      guard let encoder else { throw Self.noEncoder(setting.model) }
      start = noGrad { encoder(picture) }.permuted(0, 2, 3, 1)
    } else {
      start = setting.stream("first codes").normal([
        1, setting.height / config.factor, setting.width / config.factor, config.vocab_size,
      ]).to(setting.device)
    }
    logits = start.to(.float32).contiguous().cloned().variable()
  }

  private static func noEncoder(_ model: String?) -> StoreError {
    .nothing(path: model ?? "", reason: "it has no encoder, which an initial picture needs")
  }

  var parameters: [Tensor] { [logits] }

  var drawsByChance: Bool { draws }

  /// The picture of codes that are drawn, or of the likeliest.
  func render(_ iteration: Int?) -> Tensor {
    let stream = draws ? iteration.map { RandomStream(seed: seed, "codes \($0)") } : nil
    let (codes, probabilities) = drawCodes(logits, stream)
    let chosen = noGrad { oneHot(codes, count: logits.size(-1)) }
    return decoder(chosen.straightThrough(to: probabilities).permuted(0, 3, 1, 2))
  }

  func begin(from picture: Tensor) -> Bool {
    guard let encoder else { return false }
    noGrad { logits.assign(encoder(picture).permuted(0, 2, 3, 1)) }
    return true
  }
}
