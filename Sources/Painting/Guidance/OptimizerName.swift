import Torch

/// The optimisers that a request may name.
public enum OptimizerName: String, Sendable, Hashable, CaseIterable, Codable {
  case adam, adamw, adagrad, adamax, radam, rmsprop, diffgrad, adamp

  /// An optimiser of these parameters.
  func make(_ parameters: [Tensor]) -> any Optimizer {
    switch self {
    case .adam: AdamW(parameters)
    // PyTorch's own decay.
    case .adamw: AdamW(parameters, decay: 0.01)
    case .adagrad: Adagrad(parameters)
    case .adamax: Adamax(parameters)
    case .radam: RAdam(parameters)
    case .rmsprop: RMSprop(parameters)
    case .diffgrad: DiffGrad(parameters)
    case .adamp: AdamP(parameters)
    }
  }
}
