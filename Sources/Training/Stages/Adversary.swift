import Models
import Torch

/// A discriminator that learns beside the network it criticises.
///
/// Both learn in one step: the painter sees a copy of the discriminator at which no gradient is taken,
/// and the discriminator sees pictures that carry no gradient.
final class Adversary {
  let parameters: [(key: String, tensor: Tensor)]
  private let model: PatchDiscriminator
  private let still: PatchDiscriminator

  init(width: Int, seed: UInt64, device: Device) throws {
    func build(_ p: Parameters) -> PatchDiscriminator {
      PatchDiscriminator(p / "discriminator", width: width, layers: 3)
    }
    (model, parameters) = try StartingPoint.build(seed: seed, device: device, build)
    let own = Dictionary(uniqueKeysWithValues: parameters.map { ($0.key, $0.tensor) })
    still = build(Parameters(SharedMemory(own)))
  }

  /// How unreal it finds a picture, scaled as in taming: so that its gradient at the last layer is as
  /// long as that of the other losses.
  func opinion(of y: Tensor, beside loss: Tensor, at last: Tensor) -> Tensor {
    let opinion = -still(y).mean()
    func length(_ x: Tensor) -> Tensor {
      gradient(of: x, at: [last], keepingHistory: true)[0].to(.float32).square().sum().sqrt()
    }
    let scale = (length(loss) / (length(opinion) + 1e-4)).clamped(0, 1e4)
    return opinion * scale.detached()
  }

  /// The hinge loss (Lim & Ye 2017) that teaches it.
  func lesson(real: Tensor, painted: Tensor) -> Tensor {
    ((1 - model(real)).relu().mean() + (model(painted) + 1).relu().mean()) / 2
  }
}

/// Gives out tensors on the memory of others, without history.
final class SharedMemory: ParameterSource {
  private let tensors: [String: Tensor]

  init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    tensors[path]?.detached() ?? .zeros(shape)
  }
}
