import Imaging

/// One painted prompt and what a judge saw in it.
public struct PaintedPrompt: Sendable {
  /// The prompt and what it asks for.
  public let prompt: EvaluationPrompt
  /// The picture.
  public let picture: Picture
  /// What the judge saw in the whole picture.
  public let opinion: Judge.Opinion
  /// What it saw where each object should stand; in the whole picture and in its parts where that is not said.
  public let objects: [Judge.Opinion]
  /// Seconds from request to picture.
  public let seconds: Double

  init(_ prompt: EvaluationPrompt, _ picture: Picture, judge: Judge, seconds: Double) {
    self.prompt = prompt
    self.picture = picture
    self.seconds = seconds
    opinion = judge(picture)
    if prompt.isAnywhere {
      objects = prompt.conceptIDs.isEmpty ? [] : Self.parts.map { judge(picture, in: $0) }
      return
    }
    let slots = prompt.label.slots
    objects = slots.count == 1 ? [opinion] : slots.map { judge(picture, in: $0) }
  }

  /// Whether the judge's first guess at every object is right, each where it should stand.
  public var isFirst: Bool { every { $0.first == $1 } }

  /// Whether the judge's first guess is right at what the prompt is about: its objects, or the scene that is
  /// all there is.
  public var isRight: Bool { objects.isEmpty ? hasGround : isFirst }

  /// Whether every object is among the judge's five guesses, each where it should stand.
  public var isAmongFive: Bool { every { $0.prefix(5).contains($1) } }

  /// The whole and its halves and quarters, which a thing may fill that stands anywhere.
  private static let parts =
    [.whole]
    + [0.0, 0.25, 0.5].flatMap { x in
      [0.0, 0.25, 0.5].map { Slot(x: x, y: $0, width: 0.5, height: 0.5) }
    }

  private func every(_ holds: ([Int], Int) -> Bool) -> Bool {
    if prompt.isAnywhere {
      return prompt.conceptIDs.allSatisfy { concept in
        objects.contains { holds($0.concepts, concept) }
      }
    }
    return objects.enumerated().allSatisfy { place, seen in
      holds(seen.concepts, prompt.conceptIDs[min(place, prompt.conceptIDs.count - 1)])
    }
  }

  /// Whether the judge's first guess at the ground, a colour or a scene, is right.
  public var hasGround: Bool {
    opinion.grounds.first == Judge.Classes.ground(color: prompt.colorID, scene: prompt.sceneID)
  }

  /// Whether the judge's first guess at the thing's colour is the one that was asked for.
  public var hasTint: Bool { objects.first?.tints.first == prompt.label.tint(0)?.id }

  /// Whether the judge's first guess at the hand is the one that was asked for.
  public var hasHand: Bool { opinion.hands.first == prompt.label.art.id }

  /// Whether the judge's first guess at the style is right.
  public var hasStyle: Bool { opinion.styles.first == prompt.styleID.map { $0 + 1 } ?? 0 }

  /// Whether the picture's corners have the colour that was asked for: nearer to it than to any other
  /// named ground.
  public var hasColor: Bool {
    let corners = [
      (0, 0), (picture.width - 1, 0), (0, picture.height - 1),
      (picture.width - 1, picture.height - 1),
    ].map { picture[$0.0, $0.1] }
    func distance(_ ground: NamedColor) -> Int {
      corners.reduce(0) { sum, corner in
        let r = Int(corner.red) - Int(ground.color.red)
        let g = Int(corner.green) - Int(ground.color.green)
        let b = Int(corner.blue) - Int(ground.color.blue)
        return sum + r * r + g * g + b * b
      }
    }
    return NamedColor.all.min { distance($0) < distance($1) }?.id == prompt.colorID
  }
}
