import Imaging
import Testing

@testable import Training

@Suite("The rich corpus")
struct RichCorpusTests {
  static let shared = Result { try Corpus(configuration: .rich()) }

  @Test("the same seed and index give the same picture and label, with a corpus opened anew")
  func determinism() throws {
    let corpus = try Self.shared.get()
    let again = try Corpus(configuration: .rich())
    let indices = Array(0..<24)
    let batch = corpus.batch(indices)
    for index in indices.reversed() {
      let one = again.batch([index])
      let each = 3 * 128 * 128
      #expect(one.labels[0] == batch.labels[index])
      #expect(one.pixels[...] == batch.pixels[(index * each)..<((index + 1) * each)])
    }
  }

  @Test("a picture on the grid is a function of its label")
  func labels() throws {
    let corpus = try Self.shared.get()
    let batch = corpus.batch(Array(100..<124))
    #expect(corpus.pixels(showing: batch.labels) == batch.pixels)
  }

  @Test("training never shows what is held out, and the held-out split always does")
  func splits() throws {
    let corpus = try Self.shared.get()
    let heldOut = try corpus.with(split: .heldOut)
    let pairs = HeldOutPairs(catalogue: corpus.catalogue)
    var kinds: Set<ExampleLabel.Kind> = []
    for index in 0..<20_000 {
      let label = corpus.label(index)
      #expect(!corpus.isHeldOut(label), "\(label.caption)")
      let other = heldOut.label(index)
      #expect(corpus.isHeldOut(other), "\(other.caption)")
      if other.conceptIDs.count == 2 {
        #expect(pairs.contains(pair: other.conceptIDs[1], other.conceptIDs[0]))
      }
      kinds.insert(label.kind)
    }
    #expect(kinds == [.single, .sized, .pair, .count])
  }

  @Test("bare scenes come as often as asked for, say what they show, and show nothing else")
  func bareScenes() throws {
    let plain = try Self.shared.get()
    let corpus = try plain.with { $0.bareSceneFraction = 0.2 }
    let labels = (0..<5000).map(corpus.label)
    let bare = labels.filter { $0.kind == .scene }
    #expect((900...1100).contains(bare.count))
    #expect(bare.contains { $0.styleID != nil } && bare.contains { $0.styleID == nil })
    for label in bare {
      let scene = Scene.all[try #require(label.sceneID)]
      let bare = scene.views.map { view in
        ["a ", "an ", "the "].first(where: view.hasPrefix).map { String(view.dropFirst($0.count)) }
          ?? view
      }
      #expect(bare.contains(where: label.caption.contains), "\(label.caption)")
      #expect(label.conceptIDs.isEmpty && label.slots.isEmpty)
    }
    // All other examples are what they are without.
    for (index, label) in labels.enumerated() where label.kind != .scene {
      #expect(label == plain.label(index))
    }
    let index = try #require(labels.firstIndex { $0.kind == .scene && $0.styleID == nil })
    let ground = ExampleLabel(
      caption: "", conceptIDs: [], sceneID: labels[index].sceneID,
      sceneVariant: labels[index].sceneVariant, kind: .single)
    #expect(corpus.batch([index]).pixels == corpus.pixels(showing: [ground]))
    let loose = try corpus.with { $0.placement = .jitter }
    #expect(loose.batch([index]).pixels == corpus.pixels(showing: [ground]))
  }

  @Test("chatter changes captions and nothing else")
  func chatter() throws {
    let plain = try Self.shared.get()
    let corpus = try plain.with { $0.chatterFraction = 1 }
    var changed = 0
    for index in 0..<1000 {
      var (label, other) = (corpus.label(index), plain.label(index))
      if label.caption != other.caption { changed += 1 }
      (label.caption, other.caption) = ("", "")
      #expect(label == other)
    }
    #expect(changed > 800)
  }

  @Test("one pair of concepts in ten is held out, in either order")
  func share() throws {
    let catalogue = try Self.shared.get().catalogue
    let pairs = HeldOutPairs(catalogue: catalogue)
    var held = 0
    for a in 0..<200 {
      for b in 0..<a {
        #expect(pairs.contains(pair: a, b) == pairs.contains(pair: b, a))
        if pairs.contains(pair: a, b) { held += 1 }
      }
    }
    #expect((0.09...0.11).contains(Double(held) / Double(200 * 199 / 2)))
  }

  @Test("kinds, scenes and styles come as often as configured")
  func fractions() throws {
    let corpus = try Self.shared.get()
    let labels = (0..<10_000).map(corpus.label)
    func part(_ condition: (ExampleLabel) -> Bool) -> Double {
      Double(labels.filter(condition).count) / Double(labels.count)
    }
    #expect(abs(part { $0.kind == .pair } - 0.2) < 0.015)
    #expect(abs(part { $0.kind == .count } - 0.08) < 0.015)
    #expect(abs(part { $0.kind == .sized } - 0.05) < 0.015)
    #expect(abs(part { $0.sceneID != nil } - 0.25) < 0.015)
    #expect(abs(part { $0.styleID != nil } - 0.2) < 0.015)
    #expect(Set(labels.compactMap(\.relation)) == Set(Relation.placed))
    #expect(Set(labels.compactMap(\.sceneID)) == Set(Scene.all.map(\.id)))
    #expect(Set(labels.compactMap(\.styleID)) == Set(Style.all.map(\.id)))
    #expect(Set(labels.compactMap(\.sceneVariant)) == [0, 1, 2, 3])
    #expect(Set(labels.map(\.count)) == [1, 2, 3, 4])
  }

  @Test("skin tones and genders come equally often")
  func fair() throws {
    let corpus = try Self.shared.get()
    let people = corpus.catalogue.concepts.filter { $0.forms.count == 15 }.map(\.id)
    #expect(people.count > 60)
    let some = try corpus.with { $0.conceptIDs = people }
    var tones = [SkinTone: Int]()
    var genders = [GlyphForm.Gender: Int]()
    let count = 6000
    for index in 0..<count {
      let label = some.label(index)
      let form = corpus.catalogue.concepts[label.conceptIDs[0]].forms[label.forms[0]]
      let tone = try #require(label.skinTone)
      #expect(form.skinTone == tone)
      tones[tone, default: 0] += 1
      genders[try #require(form.gender), default: 0] += 1
    }
    func chiSquare(_ counts: some Collection<Int>) -> Double {
      let expected = Double(count) / Double(counts.count)
      return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }
    // 99.9 % of fair draws stay below: 18.5 with 4 degrees of freedom, 13.8 with 2.
    #expect(tones.count == 5 && chiSquare(tones.values) < 18.5, "\(tones)")
    #expect(genders.count == 3 && chiSquare(genders.values) < 13.8, "\(genders)")
  }

  @Test("objects stand within their slots, and every slot shows something")
  func slots() throws {
    let corpus = try Self.shared.get()
    let apple = try #require(corpus.catalogue.concept(named: "apple")).id
    let house = try #require(corpus.catalogue.concept(named: "house")).id
    var labels = [ObjectScale.small, .big].map {
      ExampleLabel(caption: "", conceptIDs: [apple], colorID: 6, scale: $0, kind: .sized)
    }
    labels += (2...4).map {
      ExampleLabel(caption: "", conceptIDs: [apple], colorID: 6, count: $0, kind: .count)
    }
    labels += Relation.allCases.map {
      ExampleLabel(
        caption: "", conceptIDs: [apple, house], colorID: 6, relation: $0, kind: .pair)
    }
    labels.append(ExampleLabel(caption: "", conceptIDs: [apple], colorID: 6, kind: .single))
    let size = corpus.size
    let bare = corpus.pixels(showing: [
      ExampleLabel(caption: "", conceptIDs: [], colorID: 6, kind: .single)
    ])
    for label in labels {
      let pixels = corpus.pixels(showing: [label])
      let slots = corpus.slots(of: label)
      #expect(slots.count == max(label.count, label.conceptIDs.count))
      var drawn = [Int](repeating: 0, count: slots.count)
      var outside = 0
      for y in 0..<size {
        for x in 0..<size where pixels[y * size + x] != bare[y * size + x] {
          let inside = slots.indices.filter { slot in
            let (u, v) = ((Double(x) + 0.5) / Double(size), (Double(y) + 0.5) / Double(size))
            let box = slots[slot]
            return u > box.x && u < box.x + box.width && v > box.y && v < box.y + box.height
          }
          if inside.isEmpty { outside += 1 }
          for slot in inside { drawn[slot] += 1 }
        }
      }
      #expect(outside == 0, "\(label)")
      for (slot, count) in zip(slots, drawn) {
        let area = slot.width * slot.height * Double(size * size)
        #expect(Double(count) > 0.4 * area, "\(label)")
      }
    }
  }

  @Test("the slots of smaller objects lie alike on the token grid, at 64 and at 128 pixels")
  func grid() throws {
    for relation in Relation.allCases {
      let label = ExampleLabel(
        caption: "", conceptIDs: [0, 1], colorID: 0, relation: relation, kind: .pair)
      for slot in label.slots where slot.width == 7.0 / 16 {
        #expect((slot.x * 16).truncatingRemainder(dividingBy: 1) == 0.5)
        #expect((slot.y * 16).truncatingRemainder(dividingBy: 1) == 0.5)
      }
    }
  }

  @Test("every style looks unlike the plain render and unlike every other style")
  func styles() throws {
    let corpus = try Self.shared.get()
    let fox = try #require(corpus.catalogue.concept(named: "fox")).id
    func picture(_ style: Int?, color: Int) -> [UInt8] {
      corpus.pixels(showing: [
        ExampleLabel(
          caption: "", conceptIDs: [fox], colorID: color, styleID: style, kind: .single)
      ])
    }
    func difference(_ a: [UInt8], _ b: [UInt8]) -> Double {
      zip(a, b).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(a.count)
    }
    let plain = picture(nil, color: 5)
    let styled = Style.all.map { picture($0.id, color: 5) }
    for style in Style.all {
      #expect(difference(plain, styled[style.id]) > 6, "\(style.name)")
      for other in Style.all where other.id < style.id {
        #expect(difference(styled[other.id], styled[style.id]) > 6, "\(style.name), \(other.name)")
      }
    }
  }

  @Test("blueprints are blue, silhouettes two-toned, woodcuts of two inks, neon dark")
  func looks() throws {
    let corpus = try Self.shared.get()
    let whale = try #require(corpus.catalogue.concept(named: "whale")).id
    func colors(_ style: String, color: Int) throws -> [SIMD3<Int>] {
      let id = try #require(Style.named(style)).id
      let pixels = corpus.pixels(showing: [
        ExampleLabel(
          caption: "", conceptIDs: [whale], colorID: color, styleID: id, kind: .single)
      ])
      let area = 128 * 128
      return (0..<area).map { i in
        SIMD3(Int(pixels[i]), Int(pixels[area + i]), Int(pixels[2 * area + i]))
      }
    }
    func share(_ colors: [SIMD3<Int>], _ condition: (SIMD3<Int>) -> Bool) -> Double {
      Double(colors.filter(condition).count) / Double(colors.count)
    }
    #expect(share(try colors("blueprint", color: 0)) { $0.z > $0.x + 60 } > 0.7)
    #expect(share(try colors("neon sign", color: 0)) { $0.x + $0.y + $0.z < 150 } > 0.5)
    let ink = share(try colors("woodcut", color: 0)) { $0.max() < 60 }
    let paper = share(try colors("woodcut", color: 0)) { $0.min() > 190 }
    #expect(ink > 0.1 && paper > 0.3 && ink + paper > 0.6, "\(ink), \(paper)")
    let two = try colors("silhouette", color: 3)
    // But for the smoothed outline, all of it is near the ground or near the ink.
    let ground = NamedColor.all[3].color
    let tones = [
      SIMD3(Int(ground.red), Int(ground.green), Int(ground.blue)), SIMD3(18, 18, 26),
    ]
    let shares = tones.map { tone in
      share(two) { color in (0..<3).allSatisfy { abs(color[$0] - tone[$0]) < 24 } }
    }
    #expect(shares.allSatisfy { $0 > 0.2 } && shares[0] + shares[1] > 0.95, "\(shares)")
    // On black the object is pale, so that it shows.
    #expect(share(try colors("silhouette", color: 1)) { $0.min() > 200 } > 0.2)
  }

  @Test("every variant of every scene looks unlike all others")
  func scenes() throws {
    let corpus = try Self.shared.get()
    var pictures: [(name: String, pixels: [UInt8])] = []
    for scene in Scene.all {
      for variant in 0..<Scene.variantCount {
        let label = ExampleLabel(
          caption: "", conceptIDs: [], sceneID: scene.id, sceneVariant: variant, kind: .single)
        pictures.append(("\(scene.name) \(variant)", corpus.pixels(showing: [label])))
      }
    }
    for (index, one) in pictures.enumerated() {
      for other in pictures[..<index] {
        let sum = stride(from: 0, to: one.pixels.count, by: 7).reduce(0) {
          $0 + abs(Int(one.pixels[$1]) - Int(other.pixels[$1]))
        }
        let floor = one.name.dropLast(2) == other.name.dropLast(2) ? 2.0 : 8.0
        let mean = Double(sum) / Double(one.pixels.count / 7)
        #expect(mean > floor, "\(one.name), \(other.name): \(mean)")
      }
    }
  }

  @Test("jittered pictures are drawn at 128 and at 64 pixels, and vary", arguments: [64, 128])
  func jitter(size: Int) throws {
    let base = try Corpus(configuration: .rich(size: size))
    let corpus = try base.with { $0.placement = .jitter }
    let each = 3 * size * size
    let batch = corpus.batch(Array(0..<64))
    let pictures = (0..<64).map { Array(batch.pixels[($0 * each)..<(($0 + 1) * each)]) }
    #expect(Set(pictures).count == 64)
  }
}
