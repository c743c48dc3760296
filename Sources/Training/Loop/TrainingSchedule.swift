/// How long, how fast and how often: what every training has in common.
///
/// The learning rate rises linearly over `warmup` steps, stays, and falls linearly to zero over the
/// last `cooldown` steps, so that a training can be made longer later by raising `steps` alone.
public struct TrainingSchedule: Codable, Sendable, Hashable {
  /// Of all chance in the training.
  public var seed: UInt64 = 0
  /// Optimiser steps in all.
  public var steps: Int
  /// Examples in a step.
  public var batch: Int
  /// Highest learning rate.
  public var rate: Double
  /// Steps until the highest learning rate.
  public var warmup: Int = 100
  /// Steps in which the rate falls to zero at the end.
  public var cooldown: Int
  /// Decoupled weight decay.
  public var decay: Double = 0
  /// Decay rate of Adam's first moment; 0.9 if left out.
  public var beta1: Double?
  /// Decay rate of Adam's second moment.
  public var beta2: Double = 0.99
  /// Largest norm of all gradients together.
  public var clip: Double = 1
  /// Decay of the averaged weights, which are the ones that ship.
  public var averaging: Double = 0.999
  /// Steps between checkpoints.
  public var saveEvery: Int = 250
  /// Steps between sample sheets.
  public var sampleEvery: Int = 500

  /// The learning rate of a step.
  public func rate(at step: Int) -> Double {
    let rise = min(1, Double(step + 1) / Double(max(1, warmup)))
    return rate * min(rise, remainder(at: step))
  }

  /// 1 until the cooldown begins, then falling linearly to 0 at the end.
  public func remainder(at step: Int) -> Double {
    min(1, Double(steps - step) / Double(max(1, cooldown)))
  }

  /// The averaging decay of a step: lower at first, so that the start is soon forgotten.
  public func averaging(at step: Int) -> Double {
    min(averaging, (1 + Double(step)) / (10 + Double(step)))
  }
}
