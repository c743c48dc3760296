import Models
import Torch

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
  /// How much of the decoder's own noise there is.
  private let noise: Double
  /// -100 at the codes that are never drawn, `[K]`; nil where all may be.
  private let bias: Tensor?

  init(
    _ decoder: DVAEDecoder, _ encoder: DVAEEncoder?, _ config: DVAE.Config, _ context: PartContext
  ) {
    self.decoder = decoder
    self.encoder = encoder
    seed = context.seed
    draws = context.choice("codes") != "likeliest"
    noise = context.number("noise")
    let artefacts = Set(Self.artefacts)
    // The list is of the published vocabulary.
    bias =
      context.choice("artefacts") == "avoid" && config.vocab_size == 8192
      ? Tensor((0..<8192).map { artefacts.contains($0) ? -100 : 0 } as [Float]).to(context.device)
      : nil
    let (h, w) = (context.height / config.factor, context.width / config.factor)
    logits = context.stream("first codes").normal([1, h, w, config.vocab_size]).to(context.device)
      .variable()
  }

  var parameters: [Tensor] { [logits] }

  var drawsByChance: Bool { draws || noise > 0 }

  /// The picture of codes that are drawn, or of the likeliest.
  func render(_ iteration: Int?) -> Tensor {
    let stream = draws ? iteration.map { RandomStream(seed: seed, "codes \($0)") } : nil
    let (codes, probabilities) = drawCodes(bias.map { logits + $0 } ?? logits, stream)
    let chosen = noGrad { oneHot(codes, count: logits.size(-1)) }
    let code = chosen.straightThrough(to: probabilities).permuted(0, 3, 1, 2)
    guard noise > 0, let iteration else { return decoder(code) }
    let chance = RandomStream(seed: seed, "noise \(iteration)")
    return decoder.sampled(code, scale: noise) { chance.uniform($0) }
  }

  func confined(_ gradients: [Tensor], to region: Tensor) -> [Tensor]? {
    let (h, w) = (logits.size(1), logits.size(2))
    let inside = region.resampled(h, w, .bilinear, antialias: true).reshaped(1, h, w, 1)
    return gradients.map { $0 * inside }
  }

  func begin(from picture: Tensor) -> Bool {
    guard let encoder else { return false }
    noGrad { logits.assign(encoder(picture).permuted(0, 2, 3, 1)) }
    return true
  }
}

extension Method {
  /// DALL·E's dVAE under CLIP's guidance.
  static let dvaeCLIP = guided(
    "dvae-clip", title: "dVAE+CLIP",
    "Logits of the codes of DALL·E's dVAE are optimised, one code drawn at each place",
    by: [.init("generator", DVAEDecoder.architecture.id, title: "dVAE")],
    arguments: [
      .choice(
        "codes", ["drawn", "likeliest"], default: "drawn",
        "Whether codes are drawn by chance on the way, as the notebook does"),
      .choice(
        "artefacts", ["avoid", "keep"], default: "avoid",
        "Whether codes that mostly draw artefacts are left out"),
      .number(
        "noise", 0...10, default: 0,
        "How much of the decoder's own noise there is in what CLIP sees; 1 is as in the notebook"),
    ], defaults: ["learningRate": .number(0.05)], limitsColors: true,
    size: { $0.multiples(of: $0.installed?.pixelsPerPosition ?? 1) }
  ) { context in
    let painting = try context.ofPainting()
    let decoder = try painting.networks.network(
      DVAEDecoder.self, in: painting.method.components[0], of: painting.request.model)
    // Without its encoder it cannot begin from a picture.
    let encoder = try? painting.networks.network(
      DVAEEncoder.self, of: painting.request.model)
    return DVAEDrawer(decoder, encoder, decoder.config, context)
  }
}
