import Foundation
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Against v-diffusion-pytorch, guided-diffusion and GLIDE, by `Oracle/schedules.py`.
@Suite("Noise schedules")
struct ScheduleTests {
  /// Both sides compute in float64.
  static let tolerance = 1e-10

  private let fixture: Fixture

  init() throws { fixture = try Fixture("schedules") }

  /// `t`, alpha and sigma, `[3, N]` float64.
  private func columns(_ levels: [NoiseLevel]) throws -> Tensor {
    let rows = levels.map(\.t) + levels.map(\.alpha) + levels.map(\.sigma)
    return try rows.withUnsafeBytes { try Tensor(copying: $0, [3, levels.count], .float64) }
  }

  @Test("Continuous levels are v-diffusion's", arguments: ContinuousSchedule.allCases)
  func continuous(schedule: ContinuousSchedule) throws {
    let levels = schedule.levels(10)
    #expect(levels.count == 11 && levels.last == .clean)
    try expectClose(
      columns(levels.dropLast()), fixture("continuous.\(schedule)"), atol: Self.tolerance)
  }

  @Test("A given beginning is the first time", arguments: ContinuousSchedule.allCases)
  func beginning(schedule: ContinuousSchedule) {
    let times = schedule.levels(8, from: 0.6).map(\.t)
    #expect(times.count == 9)
    #expect(abs(times[0] - 0.6) < 1e-9)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test(
    "What remains after discrete betas is guided-diffusion's",
    arguments: [
      ("linear.1000", DiscreteSchedule.linear()), ("linear.900", .linear(900)),
      ("squaredCosine.1000", .squaredCosine()),
    ])
  func discrete(name: String, schedule: DiscreteSchedule) throws {
    let left = schedule.alphasCumprod
    let some = stride(from: 0, to: left.count, by: 9).map { left[$0] } + left.suffix(1)
    let found = try some.withUnsafeBytes { try Tensor(copying: $0, [some.count], .float64) }
    try expectClose(found, fixture("discrete.\(name)"), atol: Self.tolerance)
  }

  @Test(
    "Respacing takes guided-diffusion's and GLIDE's timesteps",
    arguments: [
      (1000, "ddim25"), (1000, "ddim250"), (900, "ddim150"), (1000, "250"), (1000, "100"),
      (1000, "25"), (1000, "7"), (1000, "1"), (300, "10,15,20"), (1001, "10,0,3"),
      (1000, "10,10,3,2,2"), (1000, "fast27"),
    ])
  func respacing(count: Int, text: String) throws {
    #expect(
      try Respacing(text).timesteps(of: count) == fixture("timesteps.\(count).\(text)").ints())
  }

  @Test("A respaced and rescaled schedule has guided-diffusion's levels")
  func respaced() throws {
    let levels = try DiscreteSchedule.linear(900).levels(
      Respacing("ddim10").timesteps(of: 900), rescaled: true)
    #expect(levels.last == .clean)
    // The package rounds what the network is told to float32.
    try expectClose(columns(levels.dropLast()), fixture("respaced"), atol: 1e-4)
  }

  @Test("All timesteps are taken where none are chosen")
  func all() {
    let levels = DiscreteSchedule.linear(50).levels()
    #expect(levels.map(\.t) == (0..<50).reversed().map(Double.init) + [0])
    #expect(levels.allSatisfy { abs($0.alpha * $0.alpha + $0.sigma * $0.sigma - 1) < 1e-12 })
  }

  @Test(
    "What cannot be respaced is told",
    arguments: [
      (1000, "ddim600", "no whole number of timesteps between steps gives 'ddim600' of 1000"),
      (1000, "1001", "1001 steps do not fit into a section of 1000 timesteps"),
      (100, "20,60", "60 steps do not fit into a section of 50 timesteps"),
      (1000, "fast", "'fast' does not say which timesteps to take"),
      (1000, "ddim", "'ddim' does not say"), (1000, "", "'' does not say"),
      (1000, "10,,3", "'10,,3' does not say"), (1000, "0", "'0' does not say"),
      (1000, "-5", "'-5' does not say"),
    ])
  func refused(count: Int, text: String, words: String) {
    do throws(DiffusionError) {
      let steps = try Respacing(text).timesteps(of: count)
      Issue.record("\(text) was taken for \(steps.count) timesteps")
    } catch {
      #expect("\(error)".contains(words))
    }
  }

  @Test("The level of a timestep as v-diffusion tells it has the same noise")
  func told() {
    for level in DiscreteSchedule.squaredCosine().levels([0, 400, 999]).dropLast() {
      let same = NoiseLevel(t: level.continuous.t)
      #expect(abs(same.alpha - level.alpha) < 1e-12 && abs(same.sigma - level.sigma) < 1e-12)
    }
  }
}
