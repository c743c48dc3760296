import Foundation
import Painting
import Torch

/// The training loop: loss, gradient, clipping, AdamW, averaging, log, checkpoint, sheet.
public final class Trainer {
  /// What a step did.
  public struct Report: Sendable {
    /// Steps done.
    public let step: Int
    /// Steps in all.
    public let steps: Int
    /// Figures of the step, `loss` first.
    public let figures: [(name: String, value: Double)]
    /// Seconds since this process took the training up.
    public let seconds: Double
    /// Steps done by this process.
    public let stepsHere: Int
  }

  private let trainee: any Trainee
  private let schedule: TrainingSchedule
  private var run: TrainingRun
  private let group: ProcessGroup
  private let precision: DType
  private let device: Device
  private let optimizer: AdamW
  private let averages: [Tensor]

  /// - Parameters:
  ///   - precision: of matrix products and convolutions; parameters and their updates are float32.
  ///   - device: where the trainee's parameters are.
  ///   - group: the processes that train together, each with a trainee that takes its rows of a batch.
  public init(
    _ trainee: any Trainee, _ schedule: TrainingSchedule, run: TrainingRun, precision: DType,
    device: Device, group: ProcessGroup = ProcessGroup()
  ) {
    self.trainee = trainee
    self.schedule = schedule
    self.run = run
    self.precision = precision
    self.device = device
    self.group = group
    let parameters = trainee.parameters.map(\.tensor)
    optimizer = AdamW(
      parameters, betas: (schedule.beta1 ?? 0.9, schedule.beta2), decay: schedule.decay)
    averages = parameters.map { $0.detached().cloned() }
  }

  private var state: [(key: String, tensor: Tensor)] {
    trainee.parameters.map { ("model." + $0.key, $0.tensor) }
      + zip(trainee.parameters, averages).map { ("average." + $0.key, $1) }
      + optimizer.state.map { ("optimizer." + $0.key, $0.tensor) }
  }

  /// The averaged weights with their keys: what ships.
  public var weights: [(key: String, tensor: Tensor)] {
    zip(trainee.parameters, averages).map { ($0.key, $1) }
  }

  /// Takes the training up where its run folder stands and goes on to the end of the schedule, or
  /// until `stop` holds; either way a checkpoint is written at the end.
  /// - Returns: the number of steps done in all.
  @discardableResult
  public func train(until stop: () -> Bool, report: (Report) -> Void) throws -> Int {
    let first = try begin()
    let began = ContinuousClock.now
    var lost = 0
    var step = first
    while step < schedule.steps {
      let taken = try keeping(step) { try group.any(stop()) ? nil : takeStep(step) }
      guard var figures = taken else { break }
      step += 1
      lost = figures[0].value.isFinite ? 0 : lost + 1
      if lost >= 10 { throw TrainingError.diverged(step: step - lost) }

      let told = { (figures: [(name: String, value: Double)]) in
        Report(
          step: step, steps: self.schedule.steps, figures: figures,
          seconds: (ContinuousClock.now - began).seconds, stepsHere: step - first)
      }
      guard group.isFirst else {
        report(told(figures))
        continue
      }
      let due = { (period: Int) in step % max(1, period) == 0 || step == self.schedule.steps }
      if due(schedule.sampleEvery) { figures += try examine(step) }
      if due(10) || due(schedule.sampleEvery) {
        try run.log([("step", Double(step))] + figures)
      }
      if due(schedule.sampleEvery) { try run.drawCurve() }
      if due(schedule.saveEvery), !stop() { try run.save(step: step, state) }
      if due(10) || step == first + 1 { try run.show(told(figures)) }
      report(told(figures))
    }
    if group.isFirst, step > first { try run.save(step: step, state) }
    return step
  }

  /// Puts the state of the run's checkpoint in place, in every process that of the first one's.
  /// - Returns: the step to go on from.
  private func begin() throws -> Int {
    var step = 0
    if group.isFirst {
      step = try run.restore(state) ?? 0
      try run.begin()
    }
    let shared = try group.first(of: state.map(\.tensor) + [Tensor(Double(step))])
    for (own, value) in zip(state, shared) where own.tensor !== value { own.tensor.assign(value) }
    return Int(shared[shared.count - 1].item())
  }

  /// What `body` gives. Where another process is lost in it, a checkpoint is written of where the training stands:
  /// by the first process, or by whoever finds the run's folder given up.
  private func keeping<Value>(_ step: Int, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch TrainingError.lost(let reason) {
      if run.takeOver() { try run.save(step: step, state) }
      throw TrainingError.lost(reason: reason)
    }
  }

  private func takeStep(_ step: Int) throws -> [(name: String, value: Double)] {
    let result = try autocast(precision, on: device) { try trainee.loss(step: step) }
    let own = gradient(of: result.loss, at: optimizer.parameters)
    let shared = try group.mean(of: own + [result.loss] + result.figures.map(\.value))
    let gradients = Array(shared.prefix(own.count))
    let figures = shared.dropFirst(own.count).map { $0.item() }
    let norm = clipNorm(gradients, to: schedule.clip)
    let rate = schedule.rate(at: step)
    // A step whose gradient is not finite would spoil everything; it is left out.
    if norm.isFinite {
      optimizer.step(gradients, rate: rate)
      noGrad { trainee.afterStep() }
      updateAverages(
        averages, towards: optimizer.parameters, decay: schedule.averaging(at: step))
    }
    return [("loss", norm.isFinite ? figures[0] : .nan)]
      + zip(result.figures, figures.dropFirst()).map { ($0.name, $1) }
      + [("norm", norm), ("rate", rate)]
  }

  /// Lets the trainee show itself with the averaged weights, then puts its own back.
  private func examine(_ step: Int) throws -> [(name: String, value: Double)] {
    try noGrad {
      let own = optimizer.parameters.map { $0.detached().cloned() }
      for (parameter, average) in zip(optimizer.parameters, averages) { parameter.assign(average) }
      defer { for (parameter, value) in zip(optimizer.parameters, own) { parameter.assign(value) } }
      let (figures, sheet) = try autocast(precision, on: device) { try trainee.examine(step: step) }
      if let sheet { try run.save(sheet: sheet, step: step) }
      return figures
    }
  }
}
