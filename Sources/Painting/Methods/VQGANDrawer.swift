import Models
import Torch

/// Draws with the decoder of a VQGAN: the parameter is the latent, which is quantised on the way with
/// the gradient passing straight through (Crowson 2021).
public struct VQGANDrawer: Drawer {
  /// The latent, `[1, C, h, w]`.
  public let z: Tensor
  private let model: VQGAN
  private let range: (low: Tensor, high: Tensor)?

  /// Begins from random codes.
  /// - Parameters:
  ///   - model: the VQGAN.
  ///   - width: of the picture in pixels, a multiple of the VQGAN's factor.
  ///   - height: likewise.
  ///   - stream: draws the codes.
  ///   - clamped: whether each channel is kept in the codebook's range.
  public init(
    _ model: VQGAN, width: Int, height: Int, stream: RandomStream, device: Device,
    clamped: Bool = true
  ) {
    let codes = Self.codes(model, width: width, height: height, stream: stream).to(device)
    self.init(model, latent: noGrad { model.lookUp(codes) }, clamped)
  }

  /// Begins from a picture.
  /// - Parameter picture: `[1, 3, H, W]` in 0…1, sizes multiples of the VQGAN's factor.
  public init(_ model: VQGAN, picture: Tensor, clamped: Bool = true) {
    self.init(model, latent: noGrad { model.encode(picture * 2 - 1) }, clamped)
  }

  private init(_ model: VQGAN, latent: Tensor, _ clamped: Bool) {
    self.model = model
    range = clamped ? noGrad { model.codebookRange } : nil
    z = latent.to(.float32).contiguous().cloned().variable()
  }

  /// Random codes, `[1, h, w, levels]`.
  static func codes(_ model: VQGAN, width: Int, height: Int, stream: RandomStream) -> Tensor {
    let config = model.config
    return stream.integers(
      below: config.n_embed, [1, height / config.factor, width / config.factor, config.levels])
  }

  /// The parameters: the latent.
  public var parameters: [Tensor] { [z] }

  /// The latent.
  public var latent: Tensor? { z }

  /// The latent of another picture.
  public func latent(of picture: Tensor) -> Tensor? { model.encode(picture * 2 - 1) }

  /// The picture of the nearest codes, `[1, 3, H, W]`.
  public func render(_ iteration: Int?) -> Tensor {
    (model.decode(model.quantize(z).quantized) + 1) / 2
  }

  /// Limits every channel to the codebook's range.
  public func project() {
    guard let (low, high) = range else { return }
    noGrad { z.assign(z.clamped(low, high)) }
  }

  /// Takes the picture's latent.
  public func begin(from picture: Tensor) -> Bool {
    noGrad { z.assign(model.encode(picture * 2 - 1)) }
    return true
  }
}

extension Method {
  /// A VQGAN under CLIP's guidance.
  static let vqganCLIP = guided(
    "vqgan-clip", title: "VQGAN+CLIP",
    "A VQGAN's latent is optimised (Crowson and others, 2021)",
    by: [.init("generator", VQGAN.architecture.id, title: "VQGAN")],
    arguments: [
      .choice(
        "latent", ["z", "logits"], default: "z",
        "Whether the latent itself is optimised, or logits of codes that are drawn by chance"),
      .flag(
        "clampLatent", default: true,
        "Whether the latent is kept in the codebook's range; the MSE-regularised notebook does not"),
    ],
    preference: .init(2, "it does all that CLIP can guide"),
    size: { canvas in
      if let factor = canvas.installed?.pixelsPerPosition { return canvas.multiples(of: factor) }
      let (manifest, asked) = (canvas.pack.manifest, canvas.asked)
      guard let factor = canvas.pack.config(of: VQGAN.self)?.factor else { return asked }
      let scale = min(1, Double(manifest.largestSize) / Double(max(asked.width, asked.height)))
      let most = max(1, manifest.largestSize / factor)
      func side(_ pixels: Int) -> Int {
        let units = Int((Double(pixels) * scale / Double(factor)).rounded())
        return min(most, max(1, units)) * factor
      }
      return .init(width: side(asked.width), height: side(asked.height))
    }
  ) { context in
    let painting = try context.ofPainting()
    let model = try painting.networks.network(
      VQGAN.self, in: painting.method.components[0], of: painting.request.model)
    if context.choice("latent") == "logits" { return CodebookDrawer(model, context) }
    return VQGANDrawer(
      model, width: context.width, height: context.height, stream: context.stream("first codes"),
      device: context.device, clamped: context.flag("clampLatent"))
  }
}
