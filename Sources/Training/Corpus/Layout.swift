/// A rectangle within a picture: parts of its side, from the left upper corner.
public struct Slot: Sendable, Hashable, Codable {
  /// Left edge, 0 to 1.
  public let x: Double
  /// Upper edge, 0 to 1.
  public let y: Double
  /// Width, above 0 to 1.
  public let width: Double
  /// Height, above 0 to 1.
  public let height: Double
}

/// How two objects stand to each other.
public enum Relation: String, Sendable, Codable, CaseIterable {
  /// Side by side with nothing said about the sides: "a cat and a dog". The first is on the left.
  case nextTo
  /// The first is on the left: "a cat to the left of a dog", "a dog to the right of a cat".
  case leftOf
  /// The first is the upper one, with a gap between them.
  case above
  /// The first stands on the second.
  case onTopOf
  /// The first is small and low, and hides a part of the second, which is large.
  case inFrontOf
  /// The first has the second on its head or before its eyes.
  case wearing
  /// The first is large, and has the second, which is small, before it.
  case holding

  /// How two things that have nothing to do with each other stand.
  public static let placed: [Relation] = [.nextTo, .leftOf, .above, .onTopOf, .inFrontOf]
}

/// How large a caption says a single object is.
public enum ObjectScale: String, Sendable, Codable, CaseIterable {
  /// 3/8 of the side.
  case small
  /// 7/8 of the side.
  case big
}

/// Where the objects of a picture stand under `.grid` placement: the one place that knows.
///
/// Lengths are in 1/16 of the side, a cell of the token grid, so that codes repeat: all objects of
/// 7/16 begin half a cell after a cell's edge, in both directions, and all others at an edge.
enum Layout {
  /// What an object's visible part does within its box, whose longer side it fills.
  enum Stand {
    case middle, bottom, top
  }

  /// A square for one object.
  struct Box {
    /// Left and upper edge in half cells (1/32 of the side).
    let x: Int
    let y: Int
    /// The side in half cells.
    let side: Int
    var stand = Stand.middle
  }

  /// Boxes in the order of the objects; those of counts are all the same concept's.
  static func boxes(of label: ExampleLabel) -> [Box] {
    let scene = label.sceneID.map { Scene.all[$0] }
    let floor: Stand = scene?.hasGround == true ? .bottom : .middle
    if let relation = label.relation { return pair(relation, floor) }
    switch (label.count, label.scale) {
    case (2, _): return pair(.nextTo, floor)
    case (3, _):
      return [
        Box(x: 9, y: 1, side: 14), Box(x: 1, y: 17, side: 14), Box(x: 17, y: 17, side: 14),
      ]
    case (4, _): return [1, 17].flatMap { y in [1, 17].map { x in Box(x: x, y: y, side: 14) } }
    case (_, .small?): return [Box(x: 10, y: floor == .bottom ? 18 : 10, side: 12, stand: floor)]
    case (_, .big?): return [Box(x: 2, y: 2, side: 28, stand: floor)]
    case (_, nil):
      if scene == nil { return [Box(x: 2, y: 2, side: 28)] }
      return [Box(x: 4, y: floor == .bottom ? 6 : 4, side: 24, stand: floor)]
    }
  }

  private static func pair(_ relation: Relation, _ floor: Stand) -> [Box] {
    switch relation {
    case .nextTo, .leftOf:
      let y = floor == .bottom ? 15 : 9
      return [1, 17].map { Box(x: $0, y: y, side: 14, stand: floor) }
    case .above: return [1, 17].map { Box(x: 9, y: $0, side: 14) }
    case .onTopOf:
      return [
        Box(x: 9, y: 3, side: 14, stand: .bottom), Box(x: 9, y: 17, side: 14, stand: .top),
      ]
    case .inFrontOf:
      return [
        Box(x: 1, y: 17, side: 14, stand: .bottom), Box(x: 6, y: 2, side: 24, stand: .bottom),
      ]
    case .wearing:
      // Where exactly it is worn, the wearer's head says; see `Wardrobe`.
      return [Box(x: 5, y: 9, side: 22, stand: .bottom), Box(x: 6, y: 1, side: 20)]
    case .holding:
      return [
        Box(x: 1, y: 5, side: 24, stand: .bottom), Box(x: 17, y: 17, side: 14, stand: .bottom),
      ]
    }
  }

  /// The order in which objects are drawn: what is in front comes last.
  static func drawingOrder(of label: ExampleLabel) -> [Int] {
    let order = Array(boxes(of: label).indices)
    return label.relation == .inFrontOf ? order.reversed() : order
  }
}

extension CaptionedDataset {
  /// Where each object of a picture stands under `.grid` placement, in the order of `conceptIDs`; of
  /// counts, one slot for each of the same concept. Empty for picture files and bare scenes.
  public func slots(of label: ExampleLabel) -> [Slot] {
    label.slots
  }
}

extension ExampleLabel {
  /// See `CaptionedDataset.slots(of:)`.
  public var slots: [Slot] {
    guard !conceptIDs.isEmpty else { return [] }
    return Layout.boxes(of: self).map {
      let side = Double($0.side) / 32
      return Slot(x: Double($0.x) / 32, y: Double($0.y) / 32, width: side, height: side)
    }
  }
}

extension Slot {
  /// The whole picture.
  public static let whole = Slot(x: 0, y: 0, width: 1, height: 1)
}
