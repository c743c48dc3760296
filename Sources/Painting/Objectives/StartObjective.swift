import Models
import Torch

extension ObjectiveKind {
  static let start = ObjectiveKind(
    "start", "a latent near its beginning",
    arguments: [
      .choice(
        "kind", StartObjective.Measure.allCases.map(\.rawValue), default: "latent",
        "near zero, or near the beginning by squares, by angle, by cosine, by pixels, or to the eye (lpips: "
          + "of models lpips-vgg and vgg16, which are to be installed)"),
      .choice(
        "schedule", ["constant", "decay", "steps"], default: "constant",
        "always, falling as 1 / (2 i + 1), or falling to zero in steps"),
      .integer("every", 1...100_000, default: 50, "iterations from step to step"),
      .integer("steps", 1...1_000, default: 5, "steps until zero"),
    ]
  ) { context in
    let schedule: StartObjective.Schedule =
      switch context.choice("schedule") {
      case "decay": .decay
      case "steps":
        .steps(every: context.integer("every"), count: context.integer("steps"))
      default: .constant
      }
    let measure: StartObjective.Measure = context.choice("kind")
    var likeness: StartObjective.Likeness?
    if measure == .lpips {
      let networks = try context.ofPainting().networks
      let lpips = try networks.network(LPIPS.self)
      let vgg = try networks.network(VGG16.self)
      guard lpips.config.widths == vgg.config.widths else {
        throw RequestError.badValue(
          field: "start", reason: "kind lpips needs the VGG-16 that its weights are for, vgg16")
      }
      likeness = .init(measure: lpips) { vgg($0, layers: $1) }
    }
    return StartObjective(measure, schedule, initial: context.initial, likeness: likeness)
  }
}

/// A latent near zero or near its beginning, so that the picture keeps to what it began from.
///
/// A drawer without a latent stands in with its picture in -1…1.
final class StartObjective: Objective, Remembering {
  /// What is measured.
  enum Measure: String, CaseIterable {
    /// Half the mean square of the latent (nerdyrodent's `init_weight`).
    case zero
    /// Half the mean squared distance from the first latent (Crowson's notebooks; pixray's
    /// `init_weight_dist`).
    case latent
    /// Half the squared angle to the first latent (pixray's `init_weight`).
    case spherical
    /// One minus the cosine to the first latent (pixray's `init_weight_cos`).
    case cosine
    /// Half the mean absolute difference from the picture to begin from, or from the first one (pixray's
    /// `init_weight_pix`).
    case pixels
    /// How unlike the eye finds the picture and the one to begin from, or the first one (`init_scale` of
    /// Disco Diffusion and CLIP-guided diffusion): LPIPS.
    case lpips
  }

  /// What tells how alike the eye finds two pictures.
  struct Likeness {
    let measure: LPIPS
    let trunk: (Tensor, [Int]) -> [Tensor]
  }

  /// How much it counts in an iteration.
  enum Schedule: Hashable {
    case constant
    /// `1 / (2 i + 1)` (nerdyrodent).
    case decay
    /// In equal steps down to zero (jbustter's MSE-regularised notebook: a weight of 1.5, which falls
    /// every 50 iterations in 5 steps). The notebook's rounding leaves out the last step before zero.
    case steps(every: Int, count: Int)

    /// The factor in iteration `iteration`, counted from 0.
    func factor(_ iteration: Int) -> Double {
      switch self {
      case .constant: 1
      case .decay: 1 / Double(2 * iteration + 1)
      case .steps(let every, let count): Double(max(0, count - iteration / every)) / Double(count)
      }
    }
  }

  let measure: Measure
  let schedule: Schedule
  /// Under `start`, what the first iteration showed.
  var memory: [String: Tensor] = [:] { didSet { features = nil } }
  private let initial: Tensor?
  private let likeness: Likeness?
  /// Of `memory["start"]`, what `likeness` compares.
  private var features: [Tensor]?

  /// - Parameters:
  ///   - initial: the picture to begin from, `[1, 3, H, W]` in 0…1.
  ///   - likeness: needed where that is measured.
  init(
    _ measure: Measure, _ schedule: Schedule = .constant, initial: Tensor? = nil,
    likeness: Likeness? = nil
  ) {
    self.measure = measure
    self.schedule = schedule
    self.initial = initial
    self.likeness = likeness
  }

  func loss(_ observation: Observation) -> Tensor? {
    let now =
      looksAtPictures ? observation.picture : observation.latent ?? observation.picture * 2 - 1
    let start = measure == .zero ? now : start(now)
    let factor = schedule.factor(observation.iteration)
    guard factor > 0 else { return nil }
    return distance(now, start) * factor
  }

  private var looksAtPictures: Bool { measure == .pixels || measure == .lpips }

  private func start(_ now: Tensor) -> Tensor {
    if let start = memory["start"] { return start.to(now.device) }
    // A filter may have changed the picture's size.
    let given = looksAtPictures && initial?.shape == now.shape ? initial : nil
    let start = (given ?? now).detached().cloned()
    memory["start"] = start
    return start
  }

  private func distance(_ now: Tensor, _ start: Tensor) -> Tensor {
    switch measure {
    case .zero: now.square().mean() / 2
    case .latent: (now - start).square().mean() / 2
    case .spherical: sphericalDistance(now.reshaped(-1), start.reshaped(-1))
    case .cosine: 1 - (now.reshaped(-1).normalized() * start.reshaped(-1).normalized()).sum()
    case .pixels: (now - start).abs().mean() / 2
    case .lpips: unlikeness(now, start)
    }
  }

  private func unlikeness(_ now: Tensor, _ start: Tensor) -> Tensor {
    guard let likeness else { preconditionFailure("nothing tells how alike pictures are") }
    let own = features ?? noGrad { likeness.measure.features(start, likeness.trunk) }
    features = own
    return likeness.measure(likeness.measure.features(now, likeness.trunk), own).sum()
  }
}
