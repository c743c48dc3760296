import Models
import Torch

/// Draws with the decoder of a VQGAN: the parameter is the latent, which is quantised on the way with
/// the gradient passing straight through (Crowson 2021).
public struct VQGANDrawer: Drawer {
  /// The latent, `[1, C, h, w]`.
  public let z: Tensor
  private let model: VQGAN
  private let low: Tensor
  private let high: Tensor

  /// Begins from random codes.
  /// - Parameters:
  ///   - model: the VQGAN.
  ///   - width: of the picture in pixels, a multiple of the VQGAN's factor.
  ///   - height: likewise.
  ///   - stream: draws the codes.
  public init(_ model: VQGAN, width: Int, height: Int, stream: RandomStream, device: Device) {
    let config = model.config
    let codes = stream.integers(
      below: config.n_embed, [1, height / config.factor, width / config.factor, config.levels])
    self.init(model, latent: noGrad { model.lookUp(codes.to(device)) })
  }

  /// Begins from a picture.
  /// - Parameter picture: `[1, 3, H, W]` in 0…1, sizes multiples of the VQGAN's factor.
  public init(_ model: VQGAN, picture: Tensor) {
    self.init(model, latent: noGrad { model.encode(picture * 2 - 1) })
  }

  private init(_ model: VQGAN, latent: Tensor) {
    self.model = model
    (low, high) = noGrad { model.codebookRange }
    z = latent.to(.float32).contiguous().cloned().variable()
  }

  /// The parameters: the latent.
  public var parameters: [Tensor] { [z] }

  /// The picture of the nearest codes, `[1, 3, H, W]`.
  public func render(_ iteration: Int?) -> Tensor {
    (model.decode(model.quantize(z).quantized) + 1) / 2
  }

  /// Limits every channel to the codebook's range.
  public func project() { noGrad { z.assign(z.clamped(low, high)) } }
}
