import Torch

/// The optimisers that a request may name.
public enum OptimizerName: String, Sendable, Hashable, CaseIterable, Codable {
  case adam, adamw, adagrad, adamax, radam, rmsprop, diffgrad, adamp

  /// What it is, in one sentence without the final stop.
  public var help: String {
    switch self {
    case .adam: "Moments of the gradient and of its square (Kingma & Ba, 2014)"
    case .adamw: "Adam with weight decay of its own, 0.01 if not told (Loshchilov & Hutter, 2017)"
    case .adagrad: "Steps that shrink with all gradients so far (Duchi and others, 2011)"
    case .adamax: "Adam with the largest gradient instead of the squares (Kingma & Ba, 2014)"
    case .radam: "Adam that begins carefully (Liu and others, 2019)"
    case .rmsprop: "Gradients over their recent size (Tieleman & Hinton, 2012)"
    case .diffgrad: "Adam that slows down where gradients do not change (Dubey and others, 2019)"
    case .adamp: "Adam that does not let weights grow (Heo and others, 2020)"
    }
  }

  /// An optimiser of these parameters.
  /// - Parameter decay: of the weights with `adamw`, per unit of learning rate; nil is PyTorch's own.
  func make(_ parameters: [Tensor], decay: Double? = nil) -> any Optimizer {
    switch self {
    case .adam: AdamW(parameters)
    case .adamw: AdamW(parameters, decay: decay ?? 0.01)
    case .adagrad: Adagrad(parameters)
    case .adamax: Adamax(parameters)
    case .radam: RAdam(parameters)
    case .rmsprop: RMSprop(parameters)
    case .diffgrad: DiffGrad(parameters)
    case .adamp: AdamP(parameters)
    }
  }
}
