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
