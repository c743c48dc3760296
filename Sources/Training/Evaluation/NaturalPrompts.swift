import Painting

/// A hundred prompts that people would type first, written down before anything was trained on them, with the
/// things that ought to be seen: those that the judge knows by name, the rest for the eye.
enum NaturalPrompts {
  /// `prompt | things, by their names in the catalogue | what else ought to be seen`.
  static let table = """
    a fox | fox |
    a cat wearing a top hat | kitten, top hat | the hat on its head
    a dog on the beach | dog | sand and sea
    an astronaut riding a horse | astronaut, horse | the one on the other
    an armchair in the shape of an avocado | avocado | something to sit on
    a corgi | dog | short legs
    sunset over the ocean | | sea, an evening sky
    a blue bird | bird | the bird is blue
    a red car | car | the car is red
    a house in the woods | house | trees
    a robot | robot |
    a dragon breathing fire | dragon, fire |
    cute kitten | kitten |
    a castle on a hill | castle | a hill
    a pizza | pizza |
    a bowl of ramen | ramen |
    a spaceship in space | rocket | stars
    a unicorn under a rainbow | unicorn, rainbow |
    a wizard with a crystal ball | wizard, crystal ball |
    a pirate ship | sailboat | a ship, sails
    a skull with roses | skull, rose |
    a panda eating bamboo | panda |
    two cats | cat | two of them
    three red apples | apple | three, red
    an old man with glasses | old man, glasses |
    a happy birthday cake with candles | birthday cake |
    a mountain landscape in winter | | mountains, snow
    a city at night | | buildings, dark sky
    a green frog on a leaf | frog | green
    a cup of coffee | coffee | steam
    a butterfly on a flower | butterfly, flower |
    an owl at night | owl | dark sky
    a penguin in the snow | penguin | snow
    a lion with a crown | lion face, crown | the crown on its head
    a mermaid underwater | mermaid | water
    a ghost | ghost |
    a pumpkin for halloween | pumpkin |
    a snowman | snowman |
    a tree in the desert | tree | sand
    a cactus wearing a hat | cactus | a hat on it
    a teddy bear | teddy bear |
    a pink elephant | elephant | pink
    a purple octopus | octopus | purple
    a shark in the sea | shark | water
    a rocket launching | rocket | flames or smoke
    the moon | moon | night
    the sun with a face | sun with face |
    a bicycle | bicycle |
    a train in the mountains | train | mountains
    a guitar | guitar |
    a piano on the beach | piano | sand
    a bouquet of flowers | bouquet |
    a sunflower | sunflower |
    a watercolour of a fox in the forest | fox | trees, washes
    an oil painting of a ship at sea | ship | waves, brushwork
    a pencil drawing of a cat | cat | grey lines
    pixel art of a knight | | a knight in large pixels
    a stained glass window of a rose | rose | lead and coloured glass
    a neon sign of a cactus | cactus | glowing lines on dark
    a 3d render of a cute robot | robot | shaded as in three dimensions
    a cartoon dog | dog |
    an emoji of a crying face | crying face |
    a flat icon of a camera | camera | flat
    a woman with red hair | woman |
    a baby | baby |
    a chef cooking | chef |
    a firefighter | firefighter |
    a doctor | doctor |
    a ninja at night | ninja | dark sky
    a superhero | superhero |
    a zombie | zombie |
    a vampire | vampire |
    a fairy in the forest | fairy | trees
    santa claus in the snow | santa claus | snow
    a king | prince | a crown
    a princess | princess |
    a man running | person running |
    a surfer on a wave | person surfing | water
    a person playing guitar | guitar | a person
    a dog with sunglasses | dog face, sunglasses | before its eyes
    a monkey with headphones | monkey face, headphone |
    a strawberry on a blue background | strawberry | blue ground
    a yellow banana on black | banana | black ground
    an orange cat on a purple background | cat | an orange cat, purple ground
    a blue whale under the stars | whale | dark sky, stars
    a cat and a dog | cat, dog |
    a hamburger and fries | hamburger, french fries |
    a sword and a shield | sword, shield |
    a key on top of a book | key, book | the key above
    a mouse next to a piece of cheese | mouse, cheese wedge |
    a bee and a honey pot | honeybee, honey pot |
    a tent in front of mountains | tent | mountains
    a boat on a lake | boat | water
    a volcano erupting | volcano |
    an island with a palm tree | palm tree | sea
    lightning in a dark sky | lightning bolt | dark sky
    a treasure chest full of gold | | gold
    a skateboarder | skateboard | somebody on it
    a laptop on a desk | laptop |
    a heart made of fire | heart on fire |
    """

  /// The prompts, with the numbers of their things; a thing that a catalogue lacks is left out.
  static func all(in catalogue: EmojiCatalogue) -> [EvaluationPrompt] {
    table.split(separator: "\n").map { line in
      let parts = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { String($0).trimmed }
      let things = parts[1].split(separator: ",").compactMap {
        catalogue.concept(named: String($0).trimmed)?.id
      }
      return EvaluationPrompt(
        label: ExampleLabel(
          caption: parts[0], conceptIDs: things, kind: things.isEmpty ? .scene : .single),
        isAnywhere: true)
    }
  }
}
