import Foundation
import Models
import Testing
import Torch

@testable import Training

@Suite("Training of the dVAE")
struct DVAETrainingTests {
  @Test("the loss is the logit-Laplace density's, whose mass is one")
  func density() {
    // A value's density over 0.1…0.9, which is what the map leaves of 0…1, by the trapezoid rule.
    let count = 4001
    let x = Tensor((0..<count).map { Float($0) / Float(count - 1) }, [count, 1, 1, 1])
    let pictures = concatenated([x, x, x], over: 1)
    for (middle, spread) in [(0.0, -1.5), (0.7, -2.0)] {
      let statistics = concatenated(
        [0, 0, 0, 1, 1, 1].map { Tensor.full([count, 1, 1, 1], $0 == 0 ? middle : spread) }, over: 1
      )
      let densities = (0..<count).map { row in
        exp(
          -DVAETrainee.unlikelihood(
            of: pictures[row..<row + 1], statistics[row..<row + 1]
          ).item())
      }
      let mass = densities.reduce(0, +) * 0.8 / Double(count - 1)
      #expect(abs(mass - 1) < 0.03)
    }
  }

  @Test("the temperature falls to its end and stays there")
  func annealing() {
    let config = DVAETrainee.Config(
      network: .init(), schedule: .init(steps: 10, batch: 2, rate: 0.001, cooldown: 1),
      temperature: 0.0625, annealing: 4, evenness: 1)
    let found = [0, 2, 4, 9].map { config.temperature(at: $0) }
    #expect(zip(found, [1, 0.25, 0.0625, 0.0625]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(config.problem(size: 64) == nil)
    #expect(config.problem(size: 60) != nil)
  }
}
