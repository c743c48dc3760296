import Models
import Torch

/// Draws with the decoder of DALL·E's dVAE: the parameters are logits of the codes, of which one is
/// drawn at each position while the gradient passes straight through to the probabilities (the
/// notebook "OpenAI dVAE + CLIP" of EleutherAI).
struct DVAEDrawer: Drawer {
  /// `[1, K, h, w]`
  let logits: Tensor
  private let decoder: DVAEDecoder

  /// Begins from random logits.
  /// - Parameter stream: draws them.
  init(
    _ decoder: DVAEDecoder, _ config: DVAE.Config, width: Int, height: Int, stream: RandomStream,
    device: Device
  ) {
    let shape = [1, config.vocab_size, height / config.factor, width / config.factor]
    self.init(decoder, stream.normal(shape).to(device))
  }

  /// Begins from a picture `[1, 3, H, W]` in 0…1.
  init(_ decoder: DVAEDecoder, picture: Tensor, by encoder: DVAEEncoder) {
    self.init(decoder, noGrad { encoder(picture) })
  }

  private init(_ decoder: DVAEDecoder, _ logits: Tensor) {
    self.decoder = decoder
    self.logits = logits.to(.float32).contiguous().cloned().variable()
  }

  var parameters: [Tensor] { [logits] }

  /// The picture of the likeliest codes.
  func render(_ iteration: Int?) -> Tensor {
    let probabilities = logits.softmax(over: 1)
    let chosen = noGrad {
      let codes = Tensor.arange(0..<logits.size(1), device: logits.device).reshaped(1, -1, 1, 1)
      return codes.equals(logits.argmax(over: 1).unsqueezed(1)).to(.float32)
    }
    return decoder(chosen.straightThrough(to: probabilities))
  }
}
