import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// Trains the judge: a classifier of concepts, grounds and styles on strongly augmented renders, with a
/// seed of its own. Of several objects it sees one at a time.
public final class JudgeTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// Side of the pictures it looks at, in pixels.
    public var size: Int
    /// Channels of the network's stages.
    public var widths: [Int]
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Part of the target spread over all classes.
    public var smoothing: Double
    /// Part of the examples that are in a style.
    public var styles: Double
    /// Part of the coloured grounds that are white, on which styles are hardest to tell.
    public var white: Double
    /// Part of the examples seen as they are: what makes a style is finer than augmentation leaves it.
    public var plain: Double

    /// What is wrong with the sizes; nil when nothing is.
    var problem: String? {
      if widths.count != 3 || !widths.allSatisfy({ $0 > 0 && $0 % 8 == 0 }) {
        return "'widths' must be three multiples of 8"
      }
      guard [styles, white, plain].allSatisfy((0...1).contains) else {
        return "'styles', 'white' and 'plain' must be from 0 to 1"
      }
      return size > 0 && size % 16 == 0 ? nil : "'size' must be a multiple of 16"
    }
  }

  /// The network.
  public let model: ConceptClassifier
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let classes: Judge.Classes
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: of which batches are mixed.
  init(
    _ config: Config, file: SafeTensors?, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, classes: Judge.Classes, device: Device
  ) throws {
    self.config = config
    self.classes = classes
    self.heldOut = heldOut
    self.device = device
    batches = PictureBatches(sets, device: device)
    (model, parameters) = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: file
    ) {
      ConceptClassifier($0, .init(classes: classes.count, widths: config.widths))
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)", on: device)
    var random = KeyedRandom(
      seed: config.schedule.seed, stream: "judged objects", index: UInt64(step))
    let lessons = batch.labels.map { Lesson($0, &random) }
    let seen = Self.windows(batch.pictures, lessons.map(\.window), side: config.size)
    let isPlain = stream.uniform([seen.size(0), 1, 1, 1]).less(than: config.plain)
    let logits = model(isPlain.choose(seen, Augmentation()(seen, stream)))
    let parts = classes.ranges.enumerated().map { kind, range in
      (
        logits: logits.narrowed(1, range.lowerBound, range.count),
        targets: Tensor(lessons.map { $0.targets[kind] }, [lessons.count]).to(device)
      )
    }
    let losses = parts.map {
      $0.logits.crossEntropy($0.targets, ignoring: Lesson.unknown, smoothing: config.smoothing)
    }
    let right = parts[0].logits.argmax(over: 1).equals(parts[0].targets).to(.float32).mean()
    return (losses.dropFirst().reduce(losses[0], +), [("top1", right)])
  }

  /// What is looked at in an example, and what there is to see.
  private struct Lesson {
    static let unknown = -100
    /// The looked-at part of the picture.
    var window = Slot.whole
    /// Targets within their own classes.
    var concept = unknown
    var ground = unknown
    var style = unknown
    var tint = unknown
    var hand = unknown

    /// In the order of `Judge.Classes.ranges`.
    var targets: [Int] { [concept, ground, style, tint, hand] }

    /// A single object is shown in the whole picture; of several one is picked, and what surrounds it
    /// says nothing of the ground.
    init(_ label: ExampleLabel, _ random: inout KeyedRandom) {
      style = label.styleID.map { $0 + 1 } ?? 0
      // A style leaves little of the hand's own manner.
      if label.styleID == nil, !label.conceptIDs.isEmpty { hand = label.art.id }
      let slots = label.slots
      if slots.count > 1 {
        let picked = random.integer(below: slots.count)
        window = slots[picked]
        let place = min(picked, label.conceptIDs.count - 1)
        concept = label.conceptIDs[place]
        tint = label.tint(place)?.id ?? Self.unknown
      } else {
        concept = label.conceptIDs.first ?? Self.unknown
        tint = label.tint(0)?.id ?? Self.unknown
        // Styles may take the ground's colour away.
        guard label.styleID == nil else { return }
        ground = Judge.Classes.ground(color: label.colorID, scene: label.sceneID) ?? Self.unknown
      }
    }
  }

  /// Parts of pictures `[B, 3, H, W]`, each brought to `[3, side, side]`.
  static func windows(_ x: Tensor, _ windows: [Slot], side: Int) -> Tensor {
    func column(_ value: (Slot) -> Double) -> Tensor {
      Tensor(windows.map { Float(value($0)) }, [windows.count, 1, 1]).to(x.device)
    }
    let steps = (Tensor.arange(0..<side, .float32, device: x.device) + 0.5) / Double(side)  // 0…1
    let xs = column(\.x) + column(\.width) * steps.reshaped(1, 1, side)
    let ys = column(\.y) + column(\.height) * steps.reshaped(1, side, 1)
    let shape = [windows.count, side, side]
    return x.gridSampled(
      stacked([(xs * 2 - 1).expanded(shape), (ys * 2 - 1).expanded(shape)], over: 3),
      outside: .border)
  }

  /// Accuracy on held-out renders, which bounds every figure the judge gives.
  public func examine(step: Int) -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    let batch = PictureBatches.tensor(heldOut, Array(0..<1000))
    let targets = batch.labels.map { $0.conceptIDs.first ?? 0 }
    let x = batch.pictures.to(device)
    let seen = x.size(2) == config.size ? x : x.resampled(config.size, config.size, antialias: true)
    let best = model(seen).narrowed(1, 0, classes.concepts).topK(5).indices.ints()
    let first = targets.indices.filter { best[5 * $0] == targets[$0] }.count
    let five = targets.indices.filter { best[5 * $0..<5 * $0 + 5].contains(targets[$0]) }.count
    let count = Double(targets.count)
    return ([("heldOutTop1", Double(first) / count), ("heldOutTop5", Double(five) / count)], nil)
  }
}

extension PackTraining {
  func trainJudge(_ configuration: URL) throws {
    let config = try Configuration.read(JudgeTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let styled = try mixed(sets.train.filter { $0 is Corpus }) {
      $0.styleFraction = config.styles
      $0.whiteFraction = config.white
    }
    guard let catalogue = sets.concepts else {
      throw TrainingError.missing(
        "A judge needs the emoji corpus: a folder of images has no concepts.")
    }
    let run = try open(.judge, config, configuration)
    let file = try context.judge.map {
      try SafeTensors(contentsOf: $0.appending(path: "judge.safetensors"))
    }
    let trainee = try JudgeTrainee(
      config, file: file, sets: styled, heldOut: sets.heldOut, classes: .init(catalogue),
      device: context.device)
    try finish(trainee, config.schedule, run, "judge.safetensors")
    let description = Judge.Description(
      size: config.size, widths: config.widths, classes: .init(catalogue))
    try JSONEncoder().encode(description).write(
      to: run.folder.appending(path: "judge.json"), options: .atomic)
  }
}
