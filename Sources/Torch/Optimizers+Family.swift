import Foundation

// The optimisers that the family's programs offer beside Adam, as PyTorch and torch_optimizer write
// them. Parameters are few and small here (a latent, some strokes), so they are written in tensor
// operations, a line of the paper each.

/// Something that moves parameters down their gradients.
public protocol Optimizer: AnyObject {
  /// The parameters, changed in place by `step`.
  var parameters: [Tensor] { get }
  /// One step down `gradients` with learning rate `rate`.
  func step(_ gradients: [Tensor], rate: Double)
  /// Everything that a checkpoint must keep, in the order of the parameters.
  var state: [(key: String, tensor: Tensor)] { get }
}

extension AdamW: Optimizer {}

/// What the optimisers below share: memories of each parameter's own shape, and a count of steps.
public class MemoryOptimizer: Optimizer {
  /// See `Optimizer`.
  public let parameters: [Tensor]
  /// For each parameter, its memories by their names' order.
  private let memories: [[Tensor]]
  private let names: [String]
  private let count: Tensor

  fileprivate init(_ parameters: [Tensor], _ names: [String]) {
    self.parameters = parameters
    self.names = names
    memories = parameters.map { parameter in
      names.map { _ in Tensor.zeros(parameter.shape, device: parameter.device) }
    }
    count = Tensor.zeros([], .int64)
  }

  /// See `Optimizer`.
  public func step(_ gradients: [Tensor], rate: Double) {
    precondition(gradients.count == parameters.count, "one gradient for each parameter")
    noGrad {
      count.assign(count + 1)
      let time = Int(count.item())
      for (index, parameter) in parameters.enumerated() {
        let gradient = gradients[index].to(.float32)
        let (value, memory) = update(parameter, gradient, memories[index], time, rate)
        parameter.assign(value)
        for (old, new) in zip(memories[index], memory) { old.assign(new) }
      }
    }
  }

  /// See `Optimizer`.
  public var state: [(key: String, tensor: Tensor)] {
    [("step", count)]
      + memories.enumerated().flatMap { index, memory in
        zip(names, memory).map { ("\(index).\($0)", $1) }
      }
  }

  /// The new value and the new memories of a parameter at its `time`-th step, counted from one.
  fileprivate func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    (p, memory)
  }

  /// `old` moved towards `new`, keeping the part `decay`.
  fileprivate final func blend(_ old: Tensor, _ new: Tensor, _ decay: Double) -> Tensor {
    old * decay + new * (1 - decay)
  }
}

/// Adagrad (Duchi, Hazan & Singer 2011).
public final class Adagrad: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) { super.init(parameters, ["sum"]) }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let sum = memory[0] + g.square()
    return (p - g / (sum.sqrt() + 1e-10) * rate, [sum])
  }
}

/// RMSprop (Hinton's lectures, 2012), without momentum.
public final class RMSprop: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) { super.init(parameters, ["second"]) }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let second = blend(memory[0], g.square(), 0.99)
    return (p - g / (second.sqrt() + 1e-8) * rate, [second])
  }
}

/// Adamax, Adam with the largest gradient in place of the second moment (Kingma & Ba 2015, section 7).
public final class Adamax: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) { super.init(parameters, ["first", "largest"]) }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let first = blend(memory[0], g, 0.9)
    let largest = (memory[1] * 0.999).maximum(g.abs() + 1e-8)
    return (p - first / largest * (rate / (1 - power(0.9, time))), [first, largest])
  }
}

/// RAdam, which trusts the second moment only when it has seen enough (Liu et al. 2020).
public final class RAdam: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) { super.init(parameters, ["first", "second"]) }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let (first, second) = (blend(memory[0], g, 0.9), blend(memory[1], g.square(), 0.999))
    let (rest1, rest2) = (1 - power(0.9, time), 1 - power(0.999, time))
    let longest = 2 / (1 - 0.999) - 1.0
    let length = longest - 2 * Double(time) * power(0.999, time) / rest2
    var move = first / rest1
    if length > 5 {
      let variance =
        (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
      move = move / (second.sqrt() + 1e-8) * (variance * rest2).squareRoot()
    }
    return (p - move * rate, [first, second])
  }
}

/// DiffGrad, Adam slowed where the gradient hardly changes (Dubey et al. 2020).
public final class DiffGrad: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) {
    super.init(parameters, ["first", "second", "gradient"])
  }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let (first, second) = (blend(memory[0], g, 0.9), blend(memory[1], g.square(), 0.999))
    let friction = (memory[2] - g).abs().sigmoid()
    let size = rate * (1 - power(0.999, time)).squareRoot() / (1 - power(0.9, time))
    return (p - first * friction / (second.sqrt() + 1e-8) * size, [first, second, g])
  }
}

/// AdamP, Adam that does not lengthen weights whose length does not matter (Heo et al. 2021).
public final class AdamP: MemoryOptimizer {
  /// - Parameter parameters: variables in float32.
  public init(_ parameters: [Tensor]) { super.init(parameters, ["first", "second"]) }

  fileprivate override func update(
    _ p: Tensor, _ g: Tensor, _ memory: [Tensor], _ time: Int, _ rate: Double
  ) -> (Tensor, [Tensor]) {
    let (first, second) = (blend(memory[0], g, 0.9), blend(memory[1], g.square(), 0.999))
    let spread = second.sqrt() / (1 - power(0.999, time)).squareRoot() + 1e-8
    let move = projected(first / spread, p, g)
    return (p - move * (rate / (1 - power(0.9, time))), [first, second])
  }

  /// Takes the part along the parameter out of the move, by channels or of the whole, where the gradient
  /// is nearly at right angles to it.
  private func projected(_ move: Tensor, _ p: Tensor, _ g: Tensor) -> Tensor {
    guard p.rank > 1 else { return move }
    for rows in [p.size(0), 1] {
      func view(_ x: Tensor) -> Tensor { x.reshaped(rows, -1) }
      func length(_ x: Tensor) -> Tensor { x.square().sum(over: [1], keepDims: true).sqrt() + 1e-8 }
      let (a, b) = (view(g), view(p))
      // [rows, 1]
      let cosine = (a * b).sum(over: [1], keepDims: true).abs() / length(a) / length(b)
      guard cosine.amax().item() < 0.1 / Double(b.size(1)).squareRoot() else { continue }
      let direction = b / length(b)
      let along = (direction * view(move)).sum(over: [1], keepDims: true)
      return (view(move) - direction * along).reshaped(p.shape)
    }
    return move
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double { pow(base, Double(exponent)) }
